import type { Migration } from "@portico/service-kit";

export const migrations: readonly Migration[] = [
  {
    id: "0001-posts-newest-first",
    async up(db) {
      await db.collection("posts").createIndex({ createdAt: -1, _id: -1 });
    },
  },
];

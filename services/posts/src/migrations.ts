import type { Migration } from "@portico/service-kit";
import { inboxMigration, outboxMigration } from "@portico/service-kit/events";

export const migrations: readonly Migration[] = [
  outboxMigration,
  inboxMigration,
  {
    id: "0001-posts-newest-first",
    async up(db) {
      await db.collection("posts").createIndex({ createdAt: -1, _id: -1 });
    },
  },
  {
    id: "0002-posts-of-one-author",
    async up(db) {
      await db.collection("posts").createIndex({ authorId: 1, createdAt: -1, _id: -1 });
    },
  },
];

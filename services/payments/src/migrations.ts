import type { Migration } from "@portico/service-kit";
import { inboxMigration, outboxMigration } from "@portico/service-kit/events";

export const migrations: readonly Migration[] = [
  outboxMigration,
  inboxMigration,
  {
    id: "0001-payments-newest-first",
    async up(db) {
      await db
        .collection("payments")
        .createIndexes([
          { key: { userId: 1, timestamp: -1, _id: -1 } },
          { key: { userId: 1, currency: 1, timestamp: -1, _id: -1 } },
        ]);
    },
  },
];

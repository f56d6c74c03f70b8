import type { Migration } from "@portico/service-kit";
import { inboxMigration, outboxMigration } from "@portico/service-kit/events";

/** Serve every search parameter of every resource type: search/search-keys.ts. */
const searchIndexes = [
  { key: { lastUpdated: -1, _id: -1 } },
  { key: { "search.tokens": 1, lastUpdated: -1, _id: -1 } },
  { key: { "search.strings": 1 } },
  { key: { "search.dates.code": 1, "search.dates.start": 1 } },
  { key: { "search.dates.code": 1, "search.dates.end": 1 } },
] as const;

/** Most accounts recorded nothing, and what an erased one recorded is nobody's. */
const createRecorderIndex =
  (collection: string): Migration["up"] =>
  async (db) => {
    await db
      .collection(collection)
      .createIndex(
        { recordedBy: 1, lastUpdated: -1, _id: -1 },
        { partialFilterExpression: { recordedBy: { $gt: "" } } },
      );
  };

const createSearchIndexes =
  (collection: string): Migration["up"] =>
  async (db) => {
    await db.collection(collection).createIndexes(searchIndexes.map(({ key }) => ({ key })));
  };

export const migrations: readonly Migration[] = [
  outboxMigration,
  inboxMigration,
  { id: "0001-search-patients", up: createSearchIndexes("patient") },
  { id: "0002-search-observations", up: createSearchIndexes("observation") },
  { id: "0003-recorders-of-patients", up: createRecorderIndex("patient") },
  { id: "0004-recorders-of-observations", up: createRecorderIndex("observation") },
];

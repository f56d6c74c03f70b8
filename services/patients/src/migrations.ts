import type { Migration } from "@portico/service-kit";

/** Serve every search parameter of every resource type: search/search-keys.ts. */
const searchIndexes = [
  { key: { lastUpdated: -1, _id: -1 } },
  { key: { "search.tokens": 1, lastUpdated: -1, _id: -1 } },
  { key: { "search.strings": 1 } },
  { key: { "search.dates.code": 1, "search.dates.start": 1 } },
  { key: { "search.dates.code": 1, "search.dates.end": 1 } },
] as const;

const createSearchIndexes =
  (collection: string): Migration["up"] =>
  async (db) => {
    await db.collection(collection).createIndexes(searchIndexes.map(({ key }) => ({ key })));
  };

export const migrations: readonly Migration[] = [
  { id: "0001-search-patients", up: createSearchIndexes("patient") },
  { id: "0002-search-observations", up: createSearchIndexes("observation") },
];

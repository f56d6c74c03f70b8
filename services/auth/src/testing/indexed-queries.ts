/**
 * Every query that auth makes while it is tested has to be answered from an index: MongoDB's profiler
 * sees them all, those of loops and change streams too, with the plan that each was run by. So a query
 * that would read a whole collection fails the tests that make it, whoever wrote it and whenever.
 */
import type { Connection, mongo } from "mongoose";

const testAppName = "tests";

/** For what tests ask the database themselves: it need not be quick. */
export function uriForTests(uri: string): string {
  const url = new URL(uri);
  url.searchParams.set("appName", testAppName);
  return url.href;
}

/** Read in whole, and meant to be: what they hold does not grow with the number of people. */
const readInWhole = ["migrations", "signingKeys"];

/** An entry of `system.profile`, as far as it is looked at. */
type Profiled = {
  ns: string;
  op: string;
  planSummary?: string;
  appName?: string;
  command: {
    filter?: mongo.Document;
    q?: mongo.Document;
    query?: mongo.Document;
    pipeline?: mongo.Document[];
  };
  /** Of the cursor that more is got from. */
  originatingCommand?: { pipeline?: mongo.Document[] };
};

export type QueryWatch = {
  /** One line for each kind of query that read a collection instead of an index. */
  unindexed(): Promise<string[]>;
};

const profileBytes = 64 * 2 ** 20;

/** @param connection of tests, to the database that auth uses */
export async function watchQueries(connection: Connection): Promise<QueryWatch> {
  const db = connection.getClient().db(connection.name);
  // There already where a second instance is started on the same database.
  await db
    .createCollection("system.profile", { capped: true, size: profileBytes })
    .catch(() => undefined);
  await db.command({ profile: 2 });
  return {
    async unindexed() {
      await db.command({ profile: 0 });
      const scans = await db
        .collection<Profiled>("system.profile")
        .find({
          appName: { $ne: testAppName },
          planSummary: { $in: [/COLLSCAN/, "EOF"] },
        })
        .toArray();
      const found = [];
      for (const scan of scans) if (await isUnindexed(db, scan)) found.push(describe(scan));
      return [...new Set(found)];
    },
  };
}

async function isUnindexed(db: mongo.Db, scan: Profiled): Promise<boolean> {
  const collection = collectionOf(scan);
  if (readInWhole.includes(collection) || isChangeStream(scan)) return false;
  // The collection was not there yet, so there was nothing to plan.
  if (scan.planSummary === "EOF") return explainScans(db, collection, filterOf(scan));
  return true;
}

async function explainScans(db: mongo.Db, collection: string, filter: mongo.Document) {
  // Indexes come with migrations; a collection without any comes with its first document.
  await db.createCollection(collection).catch(() => undefined);
  const explained = await db.collection(collection).find(filter).explain("queryPlanner");
  return JSON.stringify(explained).includes("COLLSCAN");
}

const collectionOf = ({ ns }: Profiled): string => ns.slice(ns.indexOf(".") + 1);

/** Of the log of changes, which has no indexes. */
const isChangeStream = ({ command, originatingCommand }: Profiled): boolean =>
  [command, originatingCommand].some((one) => one?.pipeline?.[0]?.$changeStream);

const filterOf = ({ command }: Profiled): mongo.Document =>
  command.filter ?? command.q ?? command.query ?? command.pipeline?.[0]?.$match ?? {};

/** Its shape: which fields it asks about, and none of the values. */
const describe = (scan: Profiled): string =>
  `${scan.op} ${collectionOf(scan)} ${JSON.stringify(shapeOf(filterOf(scan)))}`;

const shapeOf = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (value === null || typeof value !== "object" || value.constructor !== Object) return "?";
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]));
};

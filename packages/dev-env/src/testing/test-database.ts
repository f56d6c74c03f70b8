import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import mongoose from "mongoose";
import type { TestStores } from "./test-stores.ts";

/** A database in MongoDB and one in Redis that belong to one test file, so that files can run side by side. */
export interface TestDatabase {
  mongodbUri: string;
  redisUrl: string;
  /** Not used by any other test file: also apart where Redis databases are not, as in publish/subscribe. */
  prefix: string;
  /** Removes every document and key; indexes stay, and so do the collections that are named. */
  empty(kept: readonly string[]): Promise<void>;
  drop(): Promise<void>;
}

/** The counter lives in database 0, which no test file is given. */
const COUNTER = "test-databases";

/** Use it with what the `services` project provides: `await createTestDatabase(inject("stores"))`. */
export async function createTestDatabase(stores: TestStores): Promise<TestDatabase> {
  const prefix = `test-${randomBytes(6).toString("hex")}`;
  const mongodbUri = withPath(stores.mongodb, prefix);
  const redisUrl = withPath(stores.redis, String(await takeRedisDatabase(stores.redis)));
  return {
    mongodbUri,
    redisUrl,
    prefix,
    empty: async (kept) => {
      await Promise.all([emptyMongodb(mongodbUri, kept), flushRedis(redisUrl)]);
    },
    drop: async () => {
      await Promise.all([dropMongodb(mongodbUri), flushRedis(redisUrl)]);
    },
  };
}

function withPath(uri: string, path: string): string {
  const url = new URL(uri);
  url.pathname = `/${path}`;
  return url.href;
}

function takeRedisDatabase(redisUrl: string): Promise<number> {
  return withRedis(redisUrl, (redis) => redis.incr(COUNTER));
}

async function flushRedis(redisUrl: string): Promise<void> {
  await withRedis(redisUrl, (redis) => redis.flushdb());
}

async function withRedis<T>(url: string, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { maxRetriesPerRequest: 3 });
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

function dropMongodb(mongodbUri: string): Promise<unknown> {
  return withMongodb(mongodbUri, (db) => db.dropDatabase());
}

function emptyMongodb(mongodbUri: string, kept: readonly string[]): Promise<void> {
  return withMongodb(mongodbUri, async (db) => {
    for (const collection of await db.collections()) {
      const { collectionName: name } = collection;
      // What MongoDB keeps there itself, as its profiler does, cannot be removed by the document.
      if (name.startsWith("system.")) await collection.drop();
      else if (!kept.includes(name)) await collection.deleteMany();
    }
  });
}

async function withMongodb<T>(
  mongodbUri: string,
  use: (db: mongoose.mongo.Db) => Promise<T>,
): Promise<T> {
  const client = new mongoose.mongo.MongoClient(mongodbUri);
  try {
    return await use(client.db());
  } finally {
    await client.close();
  }
}

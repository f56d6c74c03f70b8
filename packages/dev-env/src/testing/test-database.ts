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

async function dropMongodb(mongodbUri: string): Promise<void> {
  const client = new mongoose.mongo.MongoClient(mongodbUri);
  try {
    await client.db().dropDatabase();
  } finally {
    await client.close();
  }
}

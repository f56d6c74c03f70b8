/**
 * Databases that the auth apps of one worker use one after another: the migrations of auth make some
 * fifty indexes, which takes longer than most tests do, and to empty a collection takes next to nothing.
 */
import { createTestDatabase, type TestDatabase, type TestStores } from "@portico/dev-env";
import { Redis } from "ioredis";
import mongoose from "mongoose";

const spare: TestDatabase[] = [];

/** @returns a database without documents; its `drop` lets the next app have it */
export async function takeAuthDatabase(stores: TestStores): Promise<TestDatabase> {
  const database = spare.pop() ?? (await createTestDatabase(stores));
  return {
    ...database,
    async drop() {
      await Promise.all([emptyMongodb(database.mongodbUri), emptyRedis(database.redisUrl)]);
      spare.push(database);
    },
  };
}

/** What the migrations made stays, and that they did. */
async function emptyMongodb(uri: string): Promise<void> {
  const client = await new mongoose.mongo.MongoClient(uri).connect();
  try {
    for (const collection of await client.db().collections()) {
      const { collectionName: name } = collection;
      if (name.startsWith("system.")) await collection.drop();
      else if (name !== "migrations") await collection.deleteMany();
    }
  } finally {
    await client.close();
  }
}

async function emptyRedis(url: string): Promise<void> {
  const redis = new Redis(url);
  try {
    await redis.flushdb();
  } finally {
    redis.disconnect();
  }
}

import { Redis } from "ioredis";
import mongoose from "mongoose";
import { expect, inject, test } from "vitest";
import { createTestDatabase } from "./test-database.ts";

test("a test database > is apart from every other one and leaves nothing behind", async () => {
  const [one, other] = await Promise.all([
    createTestDatabase(inject("stores")),
    createTestDatabase(inject("stores")),
  ]);
  const clients = [one, other].map(({ mongodbUri }) => new mongoose.mongo.MongoClient(mongodbUri));
  const redises = [one, other].map(({ redisUrl }) => new Redis(redisUrl));
  const count = () =>
    Promise.all(clients.map((client) => client.db().collection("a").countDocuments()));
  const keys = () => Promise.all(redises.map((redis) => redis.dbsize()));

  await clients[0]?.db().collection("a").insertOne({ some: "thing" });
  await redises[0]?.set("a", "thing");
  expect(await count()).toEqual([1, 0]);
  expect(await keys()).toEqual([1, 0]);

  await Promise.all([one.drop(), other.drop()]);
  expect(await count()).toEqual([0, 0]);
  expect(await keys()).toEqual([0, 0]);

  for (const redis of redises) redis.disconnect();
  await Promise.all(clients.map((client) => client.close()));
});

import { createTestDatabase, type TestDatabase } from "@portico/dev-env";
import { connectMongo, createLogger, migrate } from "@portico/service-kit";
import type { Connection } from "mongoose";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { migrations } from "../migrations.ts";
import { type QueryWatch, uriForTests, watchQueries } from "./indexed-queries.ts";

const logger = createLogger("auth", "error");

let database: TestDatabase;
let tests: Connection;
let app: Connection;
let queries: QueryWatch;

beforeEach(async () => {
  database = await createTestDatabase(inject("stores"));
  tests = await connectMongo(uriForTests(database.mongodbUri), logger);
  app = await connectMongo(database.mongodbUri, logger);
  await migrate(app, migrations, logger);
  queries = await watchQueries(tests);
});

afterEach(async () => {
  await Promise.all([tests.close(), app.close()]);
  await database.drop();
});

describe("watching queries", () => {
  test("names every kind of query that reads a whole collection, by its shape alone", async () => {
    const accounts = app.collection("accounts");
    await accounts.findOne({ name: "Ada" });
    await accounts.updateMany({ name: "Ada" }, { $set: { name: "Bob" } });
    await accounts.findOneAndUpdate({ name: "Ada" }, { $set: { name: "Bob" } });
    await accounts.deleteMany({ createdAt: { $lt: new Date() } });
    await accounts.countDocuments({ roles: { $in: ["admin"] } });
    await accounts.find().toArray();

    expect((await queries.unindexed()).toSorted()).toEqual([
      'command accounts {"name":"?"}',
      'command accounts {"roles":{"$in":["?"]}}',
      'query accounts {"name":"?"}',
      "query accounts {}",
      'remove accounts {"createdAt":{"$lt":"?"}}',
      'update accounts {"name":"?"}',
    ]);
  });

  test("says nothing of queries that an index answers", async () => {
    const accounts = app.collection<{ _id: string; email: string }>("accounts");
    await accounts.insertOne({ _id: "1", email: "ada@portico.example" });
    await accounts.findOne({ _id: "1" });
    await accounts.find({ _id: { $in: ["1", "2"] } }).toArray();
    await accounts
      .find({ email: { $gte: "a" } })
      .sort({ email: 1 })
      .toArray();
    await accounts.updateOne({ email: "ada@portico.example" }, { $set: { name: "Ada" } });
    await accounts.deleteOne({ _id: "1" });

    expect(await queries.unindexed()).toEqual([]);
  });

  test("knows the plan of a query on a collection that is not there yet", async () => {
    const later = app.collection<{ _id: string }>("later");
    await later.findOne({ _id: "1" });
    await later.findOne({ name: "Ada" });

    expect(await queries.unindexed()).toEqual(['query later {"name":"?"}']);
  });

  test("leaves alone what tests ask themselves, and change streams", async () => {
    await tests.collection("accounts").findOne({ name: "Ada" });
    const changes = app.collection("accounts").watch();
    await changes.tryNext();
    await changes.close();

    expect(await queries.unindexed()).toEqual([]);
  });
});

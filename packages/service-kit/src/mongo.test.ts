import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createTestDatabase, type TestDatabase } from "@portico/dev-env";
import { type Connection, Schema, trusted } from "mongoose";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { connectMongo, isDuplicateKey, pingMongo } from "./mongo.ts";
import { toProblem } from "./problem.ts";
import { createStoreProxy } from "./testing/store-proxy.ts";
import { createTestLogger } from "./testing/test-app.ts";

type User = { _id: string; name: string; tags: string[]; age?: number };
const userSchema = new Schema<User>(
  { _id: String, name: { type: String, unique: true }, tags: [String], age: Number },
  { collection: "users", versionKey: false },
);

const { logger } = createTestLogger();
let database: TestDatabase;
let mongo: Connection;
const createModel = () => mongo.model("User", userSchema);
let users: () => ReturnType<typeof createModel>;

beforeAll(async () => {
  database = await createTestDatabase(inject("stores"));
  mongo = await connectMongo(database.mongodbUri, logger);
  const model = createModel();
  users = () => model;
  await users().createIndexes();
});
beforeEach(async () => {
  await users().deleteMany({});
  await users().create([
    { _id: "1", name: "ann", tags: ["a"], age: 30 },
    { _id: "2", name: "bob", tags: ["b"], age: 40 },
  ]);
});
afterAll(async () => {
  await mongo.close();
  await database.drop();
});

/** What a schema at the edge would have refused, had it not been forgotten. */
const untrusted = (value: unknown) => value as string;

describe("a filter with what a caller sent", () => {
  it.each([
    ["$gt", { $gt: "" }],
    ["$ne", { $ne: "x" }],
    ["$regex", { $regex: ".*" }],
    ["$in", { $in: ["ann", "bob"] }],
    ["$not", { $not: { $eq: "x" } }],
    ["$exists", { $exists: true }],
    ["two operators", { $gte: "", $lte: "~" }],
    ["an array", ["ann", "bob"]],
  ])("selects nothing by the operator %s", async (_, value) => {
    const find = users()
      .find({ name: untrusted(value) })
      .exec();
    expect(await find.catch(() => [])).toEqual([]);
    const remove = users()
      .deleteMany({ name: untrusted(value) })
      .exec();
    await remove.catch(() => undefined);
    expect(await users().countDocuments()).toBe(2);
  });

  it.each([{ $where: "true" }, { $expr: { $eq: [1, 1] } }, { $jsonSchema: {} }, { surname: "x" }])(
    "is refused with %o, rather than ignored",
    async (filter) => {
      await expect(
        users()
          .find(filter as never)
          .exec(),
      ).rejects.toThrow();
    },
  );

  it("does what our own code means by trusted()", async () => {
    const found = await users().find({
      $or: [{ age: trusted({ $gt: 35 }) }, { name: "ann", age: trusted({ $lt: 10 }) }],
    });
    expect(found.map(({ name }) => name)).toEqual(["bob"]);
    await users().updateOne({ _id: "1", age: trusted({ $exists: true }) }, { $set: { age: 31 } });
    expect(await users().findById("1").lean()).toMatchObject({ age: 31 });
  });
});

describe("a write", () => {
  it("that a unique index refuses is known as such", async () => {
    const failure = await users()
      .create({ _id: "3", name: "ann" })
      .catch((error: unknown) => error);
    expect(isDuplicateKey(failure)).toBe(true);
    expect(isDuplicateKey(new Error("E11000"))).toBe(false);
    expect(isDuplicateKey(undefined)).toBe(false);
  });

  it("of two at the same time is won by one", async () => {
    const writes = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) => users().create({ _id: `r${index}`, name: "race" })),
    );
    expect(writes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const reasons = writes.flatMap((write) => (write.status === "rejected" ? [write.reason] : []));
    expect(reasons.every(isDuplicateKey)).toBe(true);
  });

  it("is acknowledged by a majority and on disk", () => {
    expect(mongo.getClient().options.writeConcern).toMatchObject({ w: "majority", journal: true });
  });
});

describe("a store that is away", () => {
  it("is waited for when it starts after us", { timeout: 30_000 }, async () => {
    const proxy = await createStoreProxy(database.mongodbUri);
    await proxy.cut();
    const { logger: quiet, lines } = createTestLogger();
    const connecting = connectMongo(direct(proxy.through(database.mongodbUri)), quiet);
    await sleep(500);
    await proxy.restore();
    const connection = await connecting;
    expect(await pingMongo(connection)()).toMatchObject({ ok: 1 });
    expect(lines().length).toBeLessThan(5);
    await connection.close();
    await proxy.stop();
  });

  it("fails an operation as unavailable, and answers again when it is back", {
    timeout: 30_000,
  }, async () => {
    const proxy = await createStoreProxy(database.mongodbUri);
    const { logger: quiet, lines } = createTestLogger();
    const connection = await connectMongo(direct(proxy.through(database.mongodbUri)), quiet);
    const model = connection.model("User", userSchema);
    expect(await model.countDocuments()).toBe(2);
    await proxy.cut();
    const failure = await model.findById("1").catch((error: unknown) => error);
    expect(toProblem(failure)).toMatchObject({ status: 503, headers: { "Retry-After": "1" } });
    await expect(pingMongo(connection)()).rejects.toThrow();
    await proxy.restore();
    expect(await model.countDocuments()).toBe(2);
    expect(lines("mongodb.disconnected")).toHaveLength(1);
    await connection.close();
    await proxy.stop();
  });

  it("for longer than we wait ends the start, without a flood of lines", {
    timeout: 30_000,
  }, async () => {
    // Refuses at once, as a server that is starting does.
    const refusing = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => refusing.listen(0, "127.0.0.1", resolve));
    const { port } = refusing.address() as { port: number };
    const { logger: quiet, lines } = createTestLogger();
    await expect(
      connectMongo(`mongodb://127.0.0.1:${port}/?directConnection=true`, quiet, 1_000),
    ).rejects.toThrow();
    expect(lines().length).toBeLessThan(5);
    refusing.close();
  });
});

describe("a connection string", () => {
  it("that can never do ends the start at once, and is not printed", async () => {
    const { logger: quiet, lines } = createTestLogger();
    const startedAt = performance.now();
    const failure = await connectMongo("http://user:s3cret@127.0.0.1", quiet).catch(String);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(failure).not.toContain("s3cret");
    expect(JSON.stringify(lines())).not.toContain("s3cret");
  });

  it("with a wrong password is tried with pauses, not as fast as it can be refused", async () => {
    const uri = new URL(database.mongodbUri);
    uri.password = "s3cret";
    const { logger: quiet, lines } = createTestLogger();
    await expect(connectMongo(uri.href, quiet, 1_500)).rejects.toThrow("Authentication failed");
    expect(lines().length).toBeLessThanOrEqual(3);
    expect(JSON.stringify(lines())).not.toContain("s3cret");
  });
});

/** Straight to the one server: a replica set would send us past the proxy. */
function direct(uri: string): string {
  const url = new URL(uri);
  url.searchParams.delete("replicaSet");
  url.searchParams.set("directConnection", "true");
  return url.href;
}

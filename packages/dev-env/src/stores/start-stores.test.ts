import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import mongoose from "mongoose";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { mongod, redisServer } from "../binaries/binary.ts";
import { findBinary } from "../binaries/find-binary.ts";
import { findFreePorts } from "../configuration/free-ports.ts";
import { Supervisor } from "../processes/supervisor.ts";
import { createTestSupervisor } from "../testing/test-supervisor.ts";
import { type StoreOptions, type Stores, startStores } from "./start-stores.ts";

const password = () => randomBytes(12).toString("hex");
const { MongoClient } = mongoose.mongo;

let environment: Awaited<ReturnType<typeof createTestSupervisor>>;
let options: StoreOptions;
let stores: Stores;

beforeAll(async () => {
  environment = await createTestSupervisor();
  const [mongodbPort = 0, redisPort = 0] = await findFreePorts(2);
  options = {
    ...environment,
    mongodb: {
      program: await findBinary(mongod),
      port: mongodbPort,
      keyFile: randomBytes(48).toString("base64"),
      administratorPassword: password(),
    },
    redis: {
      program: await findBinary(redisServer),
      port: redisPort,
      administratorPassword: password(),
    },
    users: ["posts", "cards"].map((name) => ({
      name,
      mongodbPassword: password(),
      redisPassword: password(),
    })),
  };
  stores = await startStores(options);
});
afterAll(async () => {
  // Some tests put another supervisor in the place of the first.
  await environment.supervisor.stop();
  await environment.stop();
});

async function withMongodb<T>(
  uri: string,
  use: (client: InstanceType<typeof MongoClient>) => Promise<T>,
) {
  const client = await new MongoClient(uri, { serverSelectionTimeoutMS: 8000 }).connect();
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

async function withRedis<T>(url: string, use: (redis: Redis) => Promise<T>) {
  const redis = new Redis(url, { retryStrategy: () => null });
  redis.on("error", () => {});
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

test("MongoDB > a service's user uses its own database, transactions and change streams included", async () => {
  await withMongodb(stores.mongodbUriOf("posts"), async (client) => {
    const posts = client.db().collection("posts");
    await posts.createIndex({ title: 1 });
    const changes = posts.watch();
    const change = changes.next();
    await client.withSession((session) =>
      session.withTransaction(() => posts.insertOne({ title: "one" }, { session })),
    );
    expect(await change).toMatchObject({ operationType: "insert" });
    await changes.close();
    expect(await posts.countDocuments()).toBe(1);
  });
});

test("MongoDB > a service's user can neither read nor write another's database", async () => {
  await withMongodb(stores.mongodbUriOf("posts"), async (client) => {
    const cards = client.db("cards").collection("cards");
    await expect(cards.findOne()).rejects.toThrow(/not authorized on cards/);
    await expect(cards.insertOne({})).rejects.toThrow(/not authorized on cards/);
    await expect(client.db("admin").collection("system.users").findOne()).rejects.toThrow(
      /not authorized/,
    );
    await expect(client.db("local").collection("oplog.rs").findOne()).rejects.toThrow(
      /not authorized/,
    );
  });
});

test("MongoDB > nobody without a password reads anything", async () => {
  await withMongodb(
    `mongodb://127.0.0.1:${options.mongodb.port}/?replicaSet=portico`,
    async (client) => {
      await expect(client.db("posts").collection("posts").findOne()).rejects.toThrow(
        /requires authentication/,
      );
    },
  );
});

test("Redis > a service's user uses its own keys and the shared event stream", async () => {
  await withRedis(stores.redisUrlOf("posts"), async (redis) => {
    expect(await redis.set("posts:a", "1")).toBe("OK");
    expect(await redis.xadd("events:all", "*", "type", "post.created")).toBeTruthy();
    expect(await redis.eval("return redis.call('get', KEYS[1])", 1, "posts:a")).toBe("1");
    expect(await redis.publish("posts:changed", "1")).toBe(0);
  });
});

test.each([
  ["reading another's key", (redis: Redis) => redis.get("cards:a")],
  ["writing another's key", (redis: Redis) => redis.set("cards:a", "1")],
  [
    "a script on another's key",
    (redis: Redis) => redis.eval("return redis.call('get', KEYS[1])", 1, "cards:a"),
  ],
  [
    "a script that hides the key",
    (redis: Redis) => redis.eval("return redis.call('get', 'cards:a')", 0),
  ],
  ["another's channel", (redis: Redis) => redis.subscribe("cards:changed")],
  ["listing keys", (redis: Redis) => redis.keys("*")],
  ["scanning keys", (redis: Redis) => redis.scan(0)],
  ["FLUSHALL", (redis: Redis) => redis.flushall()],
  ["CONFIG", (redis: Redis) => redis.config("GET", "*")],
  ["ACL", (redis: Redis) => redis.acl("LIST")],
])("Redis > a service's user is refused %s", async (_what, attempt) => {
  await withRedis(stores.redisUrlOf("posts"), async (redis) => {
    await expect(attempt(redis)).rejects.toThrow(/NOPERM|can't access|no permissions/i);
  });
});

test("Redis > nobody without a password does anything", async () => {
  await withRedis(`redis://127.0.0.1:${options.redis.port}`, async (redis) => {
    await expect(redis.get("posts:a")).rejects.toThrow();
  });
});

test("kill -9 of mongod > every acknowledged write is there when it is back, within 5 s", async () => {
  await withMongodb(stores.mongodbUriOf("posts"), async (client) => {
    const written = client.db().collection<{ _id: number }>("written", {
      writeConcern: { w: "majority", journal: true },
    });
    await written.createIndex({ at: 1 });
    let acknowledged = 0;
    let isKilled = false;
    const writing = (async () => {
      while (!isKilled) {
        await written.insertOne({ _id: acknowledged + 1 });
        acknowledged++;
      }
    })().catch(() => {});

    await vi.waitFor(() => expect(acknowledged).toBeGreaterThan(50), { timeout: 5000 });
    environment.supervisor.kill("mongod");
    const killedAt = performance.now();
    isKilled = true;
    await writing;
    await vi.waitFor(() => written.findOne({}), { timeout: 8000, interval: 20 });
    expect(performance.now() - killedAt).toBeLessThan(5000);
    expect(await written.countDocuments()).toBeGreaterThanOrEqual(acknowledged);
  });
});

test("kill -9 of Redis > it is back within 5 s, for the same users", async () => {
  environment.supervisor.kill("redis-server");
  await vi.waitFor(
    () => withRedis(stores.redisUrlOf("posts"), (redis) => redis.set("posts:b", "1")),
    { timeout: 5000, interval: 50 },
  );
});

test("a second start > finds the data, follows a changed port and a changed password", async () => {
  await environment.supervisor.stop();
  const [mongodbPort = 0] = await findFreePorts(1);
  const supervisor = await Supervisor.create({ folder: environment.folder });
  environment.supervisor = supervisor;
  const users = options.users.map((user) => ({ ...user, mongodbPassword: password() }));
  const mongodb = { ...options.mongodb, port: mongodbPort };
  stores = await startStores({ ...options, supervisor, mongodb, users });
  await withMongodb(stores.mongodbUriOf("posts"), async (client) => {
    expect(await client.db().collection("posts").countDocuments()).toBe(1);
  });
});

test("a second start > with another administrator password says what to do", async () => {
  await environment.supervisor.stop();
  const supervisor = await Supervisor.create({ folder: environment.folder });
  environment.supervisor = supervisor;
  const mongodb = { ...options.mongodb, administratorPassword: "another" };
  await expect(startStores({ ...options, supervisor, mongodb })).rejects.toThrow(
    /MONGODB_ADMIN_PASSWORD/,
  );
});

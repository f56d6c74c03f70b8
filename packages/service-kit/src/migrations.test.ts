import { setTimeout as sleep } from "node:timers/promises";
import { createTestDatabase, type TestDatabase } from "@portico/dev-env";
import type { Connection } from "mongoose";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { type Migration, migrate } from "./migrations.ts";
import { connectMongo } from "./mongo.ts";
import { createTestLogger } from "./testing/test-app.ts";

const { logger, lines } = createTestLogger();
let database: TestDatabase;
let instances: Connection[];
beforeAll(async () => {
  database = await createTestDatabase(inject("stores"));
  instances = await Promise.all([1, 2, 3].map(() => connectMongo(database.mongodbUri, logger)));
});
afterEach(async () => {
  await migrationsOf().deleteMany({});
});
afterAll(async () => {
  await Promise.all(instances.map((instance) => instance.close()));
  await database.drop();
});

const first = () => instances[0] as Connection;
const migrationsOf = () =>
  first().getClient().db(first().name).collection<{ _id: string; until?: Date }>("migrations");
const appliedIds = async () => (await migrationsOf().find().toArray()).map(({ _id }) => _id);

/** Migrations that note when they run; `work` makes one longer or fail. */
const noting = (runs: string[], work: (id: string) => Promise<unknown> = async () => undefined) =>
  ["0001-a", "0002-b", "0003-c"].map(
    (id): Migration => ({
      id,
      async up() {
        runs.push(id);
        await work(id);
      },
    }),
  );

describe("migrations", () => {
  it("run once, in their order, and say so", async () => {
    const runs: string[] = [];
    await migrate(first(), noting(runs), logger);
    await migrate(first(), noting(runs), logger);
    expect(runs).toEqual(["0001-a", "0002-b", "0003-c"]);
    expect((await appliedIds()).sort()).toEqual(runs);
    expect(lines("migration.applied").map(({ id }) => id)).toEqual(runs);
  });

  it("run only where they are missing", async () => {
    const runs: string[] = [];
    await migrate(first(), noting(runs).slice(0, 2), logger);
    await migrate(first(), noting(runs), logger);
    expect(runs).toEqual(["0001-a", "0002-b", "0003-c"]);
  });

  it("run in one instance while the others wait until all is done", async () => {
    const runs: string[] = [];
    let done = 0;
    const slow = noting(runs, async () => {
      await sleep(150);
      done += 1;
    });
    await Promise.all(
      instances.map(async (instance) => {
        await migrate(instance, slow, logger);
        expect(done).toBe(3);
      }),
    );
    expect(runs).toEqual(["0001-a", "0002-b", "0003-c"]);
  });

  it("keep the others waiting however long one takes", async () => {
    const runs: string[] = [];
    const leaseMs = 400;
    const long = noting(runs, (id) => sleep(id === "0001-a" ? 4 * leaseMs : 0));
    await Promise.all(instances.map((instance) => migrate(instance, long, logger, leaseMs)));
    expect(runs).toEqual(["0001-a", "0002-b", "0003-c"]);
  });

  it("that were cut off in the middle run again, and the ones before do not", async () => {
    const runs: string[] = [];
    let isCut = true;
    const cutOff = noting(runs, async (id) => {
      if (id === "0002-b" && isCut) throw new Error("cut off");
    });
    await expect(migrate(first(), cutOff, logger)).rejects.toThrow("cut off");
    expect(await appliedIds()).toEqual(["0001-a"]);
    isCut = false;
    await migrate(first(), cutOff, logger);
    expect(runs).toEqual(["0001-a", "0002-b", "0002-b", "0003-c"]);
  });

  it("wait for an instance that was killed no longer than its lease", async () => {
    await migrationsOf().insertOne({ _id: "lock", until: new Date(Date.now() + 1_000) });
    const runs: string[] = [];
    const startedAt = performance.now();
    await migrate(first(), noting(runs), logger);
    expect(runs).toHaveLength(3);
    expect(performance.now() - startedAt).toBeGreaterThan(900);
    expect(lines("migration.waiting").length).toBeGreaterThan(0);
  });

  it("that are all there need no lock: nobody waits", async () => {
    const runs: string[] = [];
    await migrate(first(), noting(runs), logger);
    await migrationsOf().insertOne({ _id: "lock", until: new Date(Date.now() + 60_000) });
    const startedAt = performance.now();
    await migrate(first(), noting(runs), logger);
    expect(performance.now() - startedAt).toBeLessThan(500);
  });

  it("may make partial and expiring indexes, also twice", async () => {
    const up: Migration["up"] = async (db) => {
      await db
        .collection("things")
        .createIndex({ email: 1 }, { unique: true, partialFilterExpression: { active: true } });
    };
    await migrate(first(), [{ id: "0001-index", up }], logger);
    await migrationsOf().deleteMany({});
    await migrate(first(), [{ id: "0001-index", up }], logger);
    const things = first().getClient().db(first().name).collection("things");
    await things.insertMany([
      { email: "a", active: false },
      { email: "a" },
      { email: "a", active: true },
    ]);
    await vi.waitFor(() =>
      expect(things.insertOne({ email: "a", active: true })).rejects.toThrow("E11000"),
    );
  });
});

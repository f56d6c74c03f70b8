import { randomUUID } from "node:crypto";
import {
  createTestDatabase,
  openEventStream,
  type TestDatabase,
  type TestEventStream,
} from "@portico/dev-env";
import { connectMongo, createLogger, migrate } from "@portico/service-kit";
import type { Connection } from "mongoose";
import { afterAll, beforeAll, expect, inject, it, vi } from "vitest";
import { eventHandlers } from "../app.ts";
import { migrations } from "../migrations.ts";

let database: TestDatabase;
let mongo: Connection;
let events: TestEventStream;

beforeAll(async () => {
  const logger = createLogger("cards", "error");
  database = await createTestDatabase(inject("stores"));
  mongo = await connectMongo(database.mongodbUri, logger);
  await migrate(mongo, migrations, logger);
  events = openEventStream("cards", { ...database, mongo, logger }, ["auth"], eventHandlers);
});

afterAll(async () => {
  await events.close();
  await mongo.close();
  await database.drop();
});

it("answers that nothing of an erased account is left", async () => {
  const accountId = randomUUID();
  await events.say("auth", "account-erased", { accountId, final: true });
  await vi.waitFor(
    async () =>
      expect(await events.saidBy("cards")).toMatchObject([
        { type: "dev.portico.cards.account-erased", data: { accountId, final: true } },
      ]),
    { timeout: 8_000 },
  );
});

/** When this fails, a collection is new: say in `eventHandlers`, and in the export, what becomes of it. */
it("says so because it keeps nothing but events", async () => {
  const collections = await mongo.listCollections();
  expect(collections.map(({ name }) => name).sort()).toEqual(["inbox", "migrations", "outbox"]);
});

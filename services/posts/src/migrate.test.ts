import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { createTestDatabase, nodeProgram, type TestDatabase } from "@portico/dev-env";
import { connectMongo, createLogger } from "@portico/service-kit";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { migrations } from "./migrations.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase(inject("stores"));
});
afterAll(() => database.drop());

async function migrate(environment: Record<string, string>) {
  const { command, args, env } = nodeProgram("services/posts/src/migrate.ts", environment);
  const child = spawn(command, args, { env });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [output, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, output, complaints };
}

test("migrate > three at once, and one after them, leave what one leaves", async () => {
  const environment = { MONGODB_URI: database.mongodbUri };
  const together = await Promise.all([1, 2, 3].map(() => migrate(environment)));
  const again = await migrate(environment);
  expect([...together, again].map(({ code }) => code)).toEqual([0, 0, 0, 0]);
  const applied = (output: string) => output.split('"migration.applied"').length - 1;
  const counts = [...together, again].map(({ output }) => applied(output));
  expect(counts.reduce((sum, count) => sum + count)).toBe(migrations.length);

  const mongo = await connectMongo(database.mongodbUri, createLogger("test", "error"));
  const kept = await mongo.collection("migrations").find().toArray();
  await mongo.close();
  expect(kept.map(({ _id }) => _id).sort()).toEqual(migrations.map(({ id }) => id).sort());
});

test("migrate > says what it needs, and fails", async () => {
  const { code, complaints } = await migrate({});
  expect(code).toBe(1);
  expect(complaints).toContain("MONGODB_URI: is required");
});

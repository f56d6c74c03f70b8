import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createTestDatabase, findFreePorts, type TestDatabase } from "@portico/dev-env";
import { createInbox, type Inbox } from "@portico/sandboxes";
import request from "supertest";
import { afterAll, afterEach, beforeAll, expect, inject, test } from "vitest";
import { newPerson } from "./testing/people.ts";
import { testEnvironment } from "./testing/test-environment.ts";

const program = fileURLToPath(new URL("main.ts", import.meta.url));

let database: TestDatabase;
let inbox: Inbox;
let origin: string;
let environment: Record<string, string>;
let running: ChildProcess | undefined;

beforeAll(async () => {
  [database, inbox] = await Promise.all([createTestDatabase(inject("stores")), createInbox()]);
  const [port, opsPort] = await findFreePorts(2);
  origin = `http://127.0.0.1:${port}`;
  environment = {
    HOST: "127.0.0.1",
    PORT: String(port),
    OPS_PORT: String(opsPort),
    ...testEnvironment(origin, database, inbox),
  };
});
afterEach(() => running?.kill("SIGKILL"));
afterAll(() => Promise.all([inbox.close(), database.drop()]));

async function start(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [program], { env: environment, stdio: "ignore" });
  running = child;
  const deadline = Date.now() + 15_000;
  while (Date.now() < deadline) {
    const up = await fetch(`${origin}/auth/jwks`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (up) return child;
    await sleep(50);
  }
  throw new Error("auth did not start.");
}

test("kill -9 > loses no account that was accepted, and its mail comes after the restart", async () => {
  const person = newPerson();
  inbox.faults.add({ kind: "refuse" });
  const first = await start();
  await request(origin).post("/auth/sign-up").send(person).expect(202);
  first.kill("SIGKILL");
  await once(first, "exit");
  inbox.faults.clear();

  await start();
  await request(origin).post("/auth/sign-in").send(person).expect(200);
  const mail = await inbox.waitFor({ to: person.email }, 15_000);
  const token = new URL(mail.links[0] ?? "").searchParams.get("token");
  await request(origin).post("/auth/verify").send({ token }).expect(200);
}, 60_000);

test("SIGTERM > ends by itself", async () => {
  const child = await start();
  child.kill("SIGTERM");
  const [code] = await once(child, "exit");
  expect(code).toBe(0);
}, 60_000);

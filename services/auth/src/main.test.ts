import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import request from "supertest";
import { afterAll, afterEach, beforeAll, expect, inject, test } from "vitest";
import { type AuthProcess, prepareAuthProcess } from "./testing/auth-process.ts";
import { newPerson } from "./testing/people.ts";

let auth: AuthProcess;
beforeAll(async () => {
  auth = await prepareAuthProcess(inject("stores"));
});
afterEach(() => auth.kill());
afterAll(() => auth.close());

test("kill -9 > loses no account that was accepted, and its mail comes after the restart", async () => {
  const person = newPerson();
  auth.inbox.faults.add({ kind: "refuse" });
  await auth.start();
  await request(auth.origin).post("/auth/sign-up").send(person).expect(202);
  await auth.kill();
  auth.inbox.faults.clear();

  await auth.start();
  await request(auth.origin).post("/auth/sign-in").send(person).expect(200);
  const mail = await auth.inbox.waitFor({ to: person.email }, 15_000);
  const token = new URL(mail.links[0] ?? "").searchParams.get("token");
  await request(auth.origin).post("/auth/verify").send({ token }).expect(200);
}, 60_000);

test.runIf(process.platform === "linux")(
  "hashing > gives way to everything else",
  async () => {
    const { pid } = await auth.start();
    const niceness = (thread: string) => {
      const [, stat = ""] = readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8").split(") ");
      return Number(stat.split(" ")[16]);
    };
    const threads = readdirSync(`/proc/${pid}/task`).map((thread) => ({
      name: readFileSync(`/proc/${pid}/task/${thread}/comm`, "utf8").trim(),
      niceness: niceness(thread),
    }));
    const pool = threads.filter(({ name }) => name === "libuv-worker");
    expect(pool.length).toBeGreaterThanOrEqual(4);
    for (const thread of threads) expect(thread.niceness).toBe(pool.includes(thread) ? 10 : 0);
  },
  60_000,
);

test("SIGTERM > ends by itself", async () => {
  const child = await auth.start();
  child.kill("SIGTERM");
  const [code] = await once(child, "exit");
  expect(code).toBe(0);
}, 60_000);

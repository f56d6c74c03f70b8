import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createThrowawayFolder, removeThrowawayFolder } from "../testing/throwaway-folder.ts";
import { type Ready, readReady } from "./ready.ts";
import { type Platform, startPlatform } from "./start-platform.ts";

/** Other test files keep the machine busy; tests/recovery holds it to 5 s. */
const BACK_WITHIN_MS = 15_000;

let folder: string;
let platform: Platform;

beforeAll(async () => {
  folder = await createThrowawayFolder();
  platform = await startPlatform({ folder, ports: "free" });
}, 120_000);

afterAll(async () => {
  await platform?.stop();
  await removeThrowawayFolder(folder);
});

async function call(path: string, body?: unknown) {
  const response = await fetch(`${platform.ready.gateway}${path}`, {
    method: body ? "POST" : "GET",
    headers: {
      authorization: `Bearer ${platform.ready.accessToken}`,
      ...(body ? { "content-type": "application/json" } : {}),
    },
    body: body ? JSON.stringify(body) : undefined,
    signal: AbortSignal.timeout(2000),
  });
  return { status: response.status, body: JSON.parse((await response.text()) || "null") };
}

const readFile = (): Promise<Ready | undefined> => readReady(folder);
const pidIn = (ready: Ready | undefined, name: string) =>
  ready?.processes.find((process) => process.name === name)?.pid;

test("ready.json > says where everything is, who can sign in, and what runs", async () => {
  const ready = await readFile();
  expect(ready).toMatchObject({
    gateway: expect.stringMatching(/^http:\/\/localhost:\d+$/),
    stores: {
      mongodb: expect.stringMatching(/^mongodb:/),
      redis: expect.stringMatching(/^redis:/),
    },
    sandboxes: {
      extend: {
        url: expect.any(String),
        apiKey: expect.any(String),
        apiSecret: expect.any(String),
      },
      identityProvider: {
        url: expect.any(String),
        clientId: "portico",
        clientSecret: expect.any(String),
      },
    },
  });
  expect(ready?.users.map(({ kind }) => kind)).toEqual([
    "plain",
    "verified",
    "premium",
    "clinician",
    "administrator",
  ]);
  expect(ready?.clients.map(({ client_id }) => client_id)).toEqual(["demo", "demo-service"]);
  expect(ready?.processes.map(({ name }) => name).sort()).toEqual([
    "auth",
    "cards",
    "envoy",
    "gateway-controller",
    "mongod",
    "patients",
    "payments",
    "posts",
    "redis-server",
    "sandboxes",
  ]);
});

// What each process is asked through the gateway when it is back.
const questions: [string, string][] = [
  ["mongod", "/posts"],
  ["redis-server", "/posts"],
  ["auth", "/auth/users/me"],
  ["posts", "/posts"],
  ["payments", "/payments"],
  ["cards", "/cards"],
  ["patients", "/patients/openapi.json"],
  ["gateway-controller", "/posts"],
  ["envoy", "/posts"],
];

describe("kill -9", () => {
  test.each(questions)(
    "%s > is back by itself, in ready.json too, and nothing acknowledged is lost",
    async (name, path) => {
      const written = await call("/posts", { text: `before kill -9 of ${name}` });
      expect(written.status).toBe(201);
      const before = pidIn(await readFile(), name);

      platform.kill(name);
      await vi.waitFor(
        async () => {
          expect(pidIn(await readFile(), name)).not.toBe(before);
          expect((await call(path)).status).toBe(200);
          expect((await call(`/posts/${written.body.id}`)).body).toEqual(written.body);
        },
        { timeout: BACK_WITHIN_MS, interval: 50 },
      );
      expect(pidIn(await readFile(), name)).toEqual(expect.any(Number));
    },
  );
});

test("stop > while it starts leaves no process and no ready.json", async () => {
  const other = await createThrowawayFolder();
  const stopping = new AbortController();
  const starting = startPlatform({ folder: other, ports: "free", signal: stopping.signal });
  await sleep(700);
  stopping.abort();
  await expect(starting).rejects.toThrow("Stopped before it was ready.");
  expect(await readReady(other)).toBeUndefined();
  await removeThrowawayFolder(other);
});

test("a second platform in the same folder > is refused", async () => {
  await expect(startPlatform({ folder, ports: "free" })).rejects.toThrow(/^Already running/);
  expect(await readFile()).toBeDefined();
});

test("secrets.json > that is not readable is one clear line", async () => {
  const other = await createThrowawayFolder();
  await mkdir(other, { recursive: true });
  await writeFile(join(other, "secrets.json"), "{");
  await expect(startPlatform({ folder: other, ports: "free" })).rejects.toThrow(/secrets.json/);
  await removeThrowawayFolder(other);
});

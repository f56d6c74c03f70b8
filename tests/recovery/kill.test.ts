/**
 * `kill -9` of any process while people write: it is back by itself within five seconds, and every
 * write that was acknowledged is there. A platform of its own, since it would disturb other journeys.
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  createThrowawayFolder,
  type Platform,
  removeThrowawayFolder,
  startPlatform,
} from "@portico/dev-env";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Call, call } from "../http.ts";

const longestOutageMs = 5_000;

let folder: string;
let platform: Platform;
let token: string;
const acknowledged = new Map<string, string>();

beforeAll(async () => {
  folder = await createThrowawayFolder();
  platform = await startPlatform({ folder, ports: "free" });
  token = platform.ready.accessToken;
});

afterAll(async () => {
  await platform?.stop();
  await removeThrowawayFolder(folder);
});

/** Writes a post; remembers it when it was acknowledged. Whatever else happens is nobody's promise. */
async function writePost(): Promise<boolean> {
  const text = `post ${acknowledged.size} at ${performance.now()}`;
  const reply = await call(`${platform.ready.gateway}/posts`, { token, json: { text } }).catch(
    () => undefined,
  );
  if (reply?.status !== 201) return false;
  acknowledged.set(reply.body.id, text);
  return true;
}

const answersOk = async (url: string, options: Call = {}): Promise<boolean> => {
  const reply = await call(url, { token, ...options }).catch(() => undefined);
  return reply?.status === 200;
};

const signsIn = (): Promise<boolean> => {
  const { gateway, users } = platform.ready;
  const user = users.find(({ kind }) => kind === "verified");
  const json = { email: user?.email, password: user?.password };
  return answersOk(`${gateway}/auth/sign-in`, { json, token: undefined });
};

/** Only an event on Redis sends it. */
const mailArrives = async (): Promise<boolean> => {
  const { gateway, mailbox } = platform.ready;
  const email = `${crypto.randomUUID()}@portico.example`;
  const json = { email, password: "a long enough password" };
  const signedUp = await call(`${gateway}/auth/sign-up`, { json }).catch(() => undefined);
  if (signedUp?.status !== 202) return false;
  const mail = await call(`${mailbox}/api/messages?to=${email}&waitMs=${longestOutageMs}`);
  return mail.body.messages.length > 0;
};

const lists = (path: string) => () => answersOk(`${platform.ready.gateway}${path}`);
const isReady = (name: string) => () => {
  const port = platform.processes().find((process) => process.name === name)?.port;
  return answersOk(`http://127.0.0.1:${port}/readyz`);
};

/** Process -> something that only works when it is there again. */
const probes: Record<string, () => Promise<boolean>> = {
  mongod: writePost,
  "redis-server": mailArrives,
  auth: signsIn,
  posts: writePost,
  payments: lists("/payments"),
  cards: lists("/cards"),
  patients: lists("/fhir/metadata"),
  sandboxes: lists("/cards"),
  "gateway-controller": isReady("gateway-controller"),
  envoy: writePost,
};

const pidOf = (name: string) => platform.processes().find((p) => p.name === name)?.pid;

async function outageMs(name: string, works: () => Promise<boolean>): Promise<number> {
  const killedAt = performance.now();
  while (pidOf(name) === undefined || !(await works())) {
    if (performance.now() - killedAt > 4 * longestOutageMs) break;
    await sleep(20);
  }
  return performance.now() - killedAt;
}

describe.each(Object.entries(probes))("kill -9 %s", (name, works) => {
  it("is back by itself within 5 s", async () => {
    const before = pidOf(name);
    expect(
      before,
      platform
        .processes()
        .map((p) => p.name)
        .join(" "),
    ).toBeDefined();
    const writers = Array.from({ length: 20 }, writePost);
    platform.kill(name);
    await Promise.all(writers);
    await sleep(100);

    expect(await outageMs(name, works)).toBeLessThan(longestOutageMs);
    expect(pidOf(name)).not.toBe(before);
  });
});

it("has every write that was acknowledged", async () => {
  expect(acknowledged.size).toBeGreaterThan(20);
  for (const [id, text] of acknowledged) {
    const reply = await call(`${platform.ready.gateway}/posts/${id}`, { token });
    expect([reply.status, reply.body.text]).toEqual([200, text]);
  }
});

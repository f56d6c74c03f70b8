/**
 * What is revoked is refused by every instance of every service within a second of the answer to
 * whoever revoked it: with nothing asked for each request, after Redis lost everything, and after auth
 * was killed. A platform of its own, since it would disturb other journeys.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  createBrowser,
  createThrowawayFolder,
  type Platform,
  removeThrowawayFolder,
  startPlatform,
} from "@portico/dev-env";
import { createLogger } from "@portico/service-kit";
import { connectRedis } from "@portico/service-kit/redis";
import * as openid from "openid-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call } from "../http.ts";
import { seeded, signIn } from "../people.ts";
import { signInWithBrowser } from "./sign-in-with-browser.ts";

const longestMs = 1_000;

type Instance = { name: string; url: string };

let folder: string;
let platform: Platform;
let gateway: string;
/** Two instances of posts, by their own ports, and each other service. */
let instances: Instance[];
let admin: string;

beforeAll(async () => {
  folder = await createThrowawayFolder();
  platform = await startPlatform({ folder, ports: "free" });
  gateway = platform.ready.gateway;
  const second = await platform.addInstance("posts");
  instances = [
    { name: "posts", url: `${directly("posts")}/posts` },
    { name: "posts, second instance", url: `http://127.0.0.1:${second}/posts` },
    { name: "auth", url: `${directly("auth")}/auth/users/me` },
    { name: "payments", url: `${directly("payments")}/payments` },
    { name: "cards", url: `${directly("cards")}/cards` },
    { name: "patients", url: `${directly("patients")}/fhir/Patient` },
    { name: "posts, through the gateway", url: `${gateway}/posts` },
  ];
  admin = (await signIn(gateway, seeded(platform.ready, "administrator"))).accessToken;
}, 120_000);

afterAll(async () => {
  await platform?.stop();
  await removeThrowawayFolder(folder);
});

const portOf = (name: string) =>
  platform.processes().find((process) => process.name === name)?.port ?? 0;
const directly = (name: string) => `http://127.0.0.1:${portOf(name)}`;
const operations = (port: number) => `http://127.0.0.1:${port + 100}`;

/** The figures of the run, for who reads its output. */
const show = (line: string) => process.stdout.write(`${line}\n`);

/** 401: not let in. 403 is let in: the token is good, the person is no clinician. */
const isLetIn = async ({ url }: Instance, token: string) =>
  (await call(url, { token })).status !== 401;

const expectLetIn = async (token: string) => {
  for (const instance of instances)
    expect(await isLetIn(instance, token), instance.name).toBe(true);
};

/** Milliseconds from now until the instance refuses; more than any limit when it never does. */
async function refusedAfter(instance: Instance, tokens: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  while (performance.now() - startedAt < 5 * longestMs) {
    const letIn = await Promise.all(tokens.map((token) => isLetIn(instance, token)));
    if (!letIn.includes(true)) return performance.now() - startedAt;
    await sleep(5);
  }
  return Number.POSITIVE_INFINITY;
}

/** Lets the tokens in, revokes, and has every instance refuse within a second of the answer. */
async function expectRevokedAtOnce(what: string, tokens: string[], revoke: () => Promise<unknown>) {
  for (const token of tokens) await expectLetIn(token);
  await revoke();
  const times = await Promise.all(instances.map((instance) => refusedAfter(instance, tokens)));
  const shown = instances.map(({ name }, index) => `${name} ${Math.round(times[index] ?? 0)}`);
  show(`${what}: refused after (ms) ${shown.join(", ")}`);
  for (const time of times) expect(time).toBeLessThanOrEqual(longestMs);
}

const request = async (path: string, options: Parameters<typeof call>[1], status: number) => {
  const reply = await call(`${gateway}${path}`, options);
  expect(reply.status, `${path}: ${JSON.stringify(reply.body)}`).toBe(status);
  return reply.body;
};

async function newcomer() {
  const person = {
    email: `${randomUUID()}@portico.example`,
    password: `a long enough ${randomUUID()}`,
  };
  await request("/auth/sign-up", { json: person }, 202);
  const { accessToken, account } = await signIn(gateway, person);
  return { ...person, token: accessToken as string, id: account.id as string };
}

const change = (id: string, json: object) =>
  request(`/auth/users/${id}`, { method: "PATCH", token: admin, json }, 200);

const demo = () =>
  openid.discovery(new URL(`${gateway}/auth`), "demo", undefined, openid.None(), {
    execute: [openid.allowInsecureRequests],
  });

const revocations: Record<string, () => Promise<void>> = {
  async "a session that was ended"() {
    const person = await newcomer();
    const { tokens } = await signInWithBrowser(gateway, await demo(), person);
    const { items } = await request("/auth/sessions", { token: person.token }, 200);
    const session = items.find((one: { clients: string[] }) => one.clients.includes("demo"));
    await expectRevokedAtOnce("session ended", [tokens.access_token], () =>
      request(`/auth/sessions/${session.id}`, { method: "DELETE", token: person.token }, 204),
    );
    await expectLetIn(person.token);
  },

  async "all sessions of a person"() {
    const person = await newcomer();
    const again = await signIn(gateway, person);
    const { tokens } = await signInWithBrowser(gateway, await demo(), person);
    const all = [person.token, again.accessToken, tokens.access_token];
    await expectRevokedAtOnce("all sessions ended", all, () =>
      request("/auth/sessions", { method: "DELETE", token: person.token }, 204),
    );
  },

  async "an account that was suspended"() {
    const [person, other] = [await newcomer(), await newcomer()];
    const { tokens } = await signInWithBrowser(gateway, await demo(), person);
    await expectRevokedAtOnce("account suspended", [person.token, tokens.access_token], () =>
      change(person.id, { status: "suspended" }),
    );
    const { email, password } = person;
    await request("/auth/sign-in", { json: { email, password } }, 403);
    await expectLetIn(other.token);
  },

  async "a role that was changed"() {
    const person = await newcomer();
    await expectRevokedAtOnce("role given", [person.token], () =>
      change(person.id, { roles: ["member", "clinician"] }),
    );
    const clinician = (await signIn(gateway, person)).accessToken;
    await request("/fhir/Patient", { token: clinician }, 200);
    await expectLetIn(clinician);

    await expectRevokedAtOnce("role taken", [clinician], () =>
      change(person.id, { roles: ["member"] }),
    );
    const member = (await signIn(gateway, person)).accessToken;
    await request("/fhir/Patient", { token: member }, 403);
    await expectLetIn(member);
  },

  async "a grant that its client revoked"() {
    const person = await newcomer();
    const client = await demo();
    const { tokens } = await signInWithBrowser(gateway, client, person);
    await expectRevokedAtOnce("grant revoked", [tokens.access_token], () =>
      openid.tokenRevocation(client, tokens.refresh_token ?? ""),
    );
    await expectLetIn(person.token);
  },

  async "a token that was signed out"() {
    const person = await newcomer();
    await expectRevokedAtOnce("signed out", [person.token], () =>
      request("/auth/sign-out", { method: "POST", token: person.token }, 204),
    );
  },

  async "a browser app that was signed out"() {
    const { email, password } = await newcomer();
    const browser = createBrowser(gateway);
    const page = await browser.open("/auth/browser-session/start?return_to=/auth/openapi.json");
    await browser.submit(page, { email, password });
    const cookie = browser.cookies.find(({ name }) => name === "__Host-portico-access");
    await expectRevokedAtOnce("browser signed out", [String(cookie?.value)], async () => {
      const { status } = await browser.fetch("/auth/browser-session", { method: "DELETE" });
      expect(status).toBe(204);
    });
  },
};

const everyRevocation = () => {
  for (const [what, revokes] of Object.entries(revocations)) it(what, revokes);
};

describe("refused everywhere within a second", everyRevocation);

describe("without a call for each request", () => {
  const handled = async (port: number) => {
    const { body } = await call(`${operations(port)}/metrics`);
    const counts = [...body.matchAll(/^http_request_duration_seconds_count{.*} (\d+)$/gm)];
    return counts.reduce((sum, [, count]) => sum + Number(count), 0);
  };

  it("hundreds of requests at posts are none at auth", async () => {
    const { token } = await newcomer();
    const [posts] = instances;
    if (!posts) throw new Error("there are no instances");
    const before = await handled(portOf("auth"));
    const beforeAtPosts = await handled(portOf("posts"));
    await Promise.all(Array.from({ length: 300 }, () => isLetIn(posts, token)));
    expect((await handled(portOf("posts"))) - beforeAtPosts).toBe(300);
    expect((await handled(portOf("auth"))) - before).toBe(0);
  });

  it("the age of each service's list is measured, and seconds at most", async () => {
    for (const name of ["posts", "payments", "cards", "patients"]) {
      const { body } = await call(`${operations(portOf(name))}/metrics`);
      const age = Number(/^revocations_age_seconds{.*} (\S+)$/m.exec(body)?.[1]);
      expect(age, name).toBeLessThan(8);
    }
  });
});

describe("after Redis lost everything (FLUSHALL)", () => {
  let revokedBefore: string;

  beforeAll(async () => {
    revokedBefore = (await newcomer()).token;
    const { token } = await newcomer();
    await request("/auth/sign-out", { method: "POST", token: revokedBefore }, 204);
    const redis = connectRedis(platform.ready.stores.redis, createLogger("test", "error"));
    await redis.flushall();
    redis.disconnect();
    // Nobody was signed out by it.
    await expectLetIn(token);
  });

  it("what was revoked before stays refused", async () => {
    for (const instance of instances) expect(await isLetIn(instance, revokedBefore)).toBe(false);
  });
  everyRevocation();
});

describe("after kill -9 of auth", () => {
  let revokedBefore: string;
  let good: string;

  const authIsReady = async () => {
    const reply = await call(`${operations(portOf("auth"))}/readyz`).catch(() => undefined);
    return reply?.status === 200;
  };

  beforeAll(async () => {
    const [one, other] = [await newcomer(), await newcomer()];
    [revokedBefore, good] = [one.token, other.token];
    await expectLetIn(revokedBefore);
    await request("/auth/sign-out", { method: "POST", token: revokedBefore }, 204);
    // In the moment of the answer: whoever has not heard of it hears when auth is back.
    platform.kill("auth");
  });

  it("while it is away, tokens are let in, and what was known to be revoked is not", async () => {
    const services = instances.filter(({ url }) => !url.includes("/auth/"));
    for (const instance of services) expect(await isLetIn(instance, good)).toBe(true);
  });

  it("what was revoked in that moment is refused within a second of its return", async () => {
    while (!(await authIsReady())) await sleep(20);
    const times = await Promise.all(
      instances.map((instance) => refusedAfter(instance, [revokedBefore])),
    );
    show(`revoked, auth killed: refused after its return (ms) ${times.map(Math.round)}`);
    for (const time of times) expect(time).toBeLessThanOrEqual(longestMs);
    await expectLetIn(good);
  });

  it("a service that starts afterwards knows what was revoked", async () => {
    const third = await platform.addInstance("posts");
    const instance = { name: "posts, third instance", url: `http://127.0.0.1:${third}/posts` };
    expect(await isLetIn(instance, revokedBefore)).toBe(false);
    expect(await isLetIn(instance, good)).toBe(true);
    instances.push(instance);
  });

  everyRevocation();
});

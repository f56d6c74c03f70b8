import {
  createTestIssuer,
  createTestRedis,
  type TestIssuer,
  type TestRedis,
} from "@portico/dev-env";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GATEWAY_CLASS, gatewayOn, namedRule, policy, route, service, tokensOf } from "./given.ts";
import { ask, startUpstream, type Upstream, until } from "./real-envoy.ts";
import { type Replica, startReplica } from "./replica.ts";

/** Two Envoys, each with a controller that counts for it, and one Redis behind both. */

const USER = { name: "gateway", password: "of the gateway" };
const NAMES = [
  ...["plain", "header", "burst", "subject", "both", "trial", "away", "silent", "mixed"],
  "probe",
];
const limited = (name: string, limits: string[], mode = "Enforce") =>
  policy(
    name,
    `targetRefs: [{ kind: HTTPRoute, name: web, sectionName: ${name} }]
mode: ${mode}
limits: [${limits.map((limit) => `{ ${limit} }`).join(", ")}]`,
    "RateLimitPolicy",
  );
const KEY = "by: { type: Header, name: X-Api-Key }, scope: Shared";
const SUBJECT = "by: { type: Claim, name: sub }, scope: Shared";

let issuer: TestIssuer;
let redis: TestRedis;
let web: Upstream;
let replicas: readonly [Replica, Replica];

beforeAll(async () => {
  [issuer, redis, web] = await Promise.all([
    createTestIssuer(),
    createTestRedis([USER]),
    startUpstream("web"),
  ]);
  await redis.start();
  const start = () => startReplica(objects, redis.urlOf(USER));
  replicas = await Promise.all([start(), start()]);
  await until(async () => count(200, await statuses(2, "/plain")) === 2);
});

afterAll(async () => {
  await Promise.all((replicas ?? []).map(({ stop }) => stop()));
  await Promise.all([web?.stop(), redis?.stop(), issuer?.close()]);
});

function objects(port: number): string {
  return [
    GATEWAY_CLASS,
    gatewayOn(port),
    policy("tokens", tokensOf(issuer)),
    policy(
      "open",
      `targetRefs: [${NAMES.filter((name) => name !== "subject" && name !== "both")
        .map((name) => `{ kind: HTTPRoute, name: web, sectionName: ${name} }`)
        .join(", ")}]
requirement: None`,
    ),
    service("keys", Number(new URL(issuer.jwksUrl).port)),
    service("web", web.port),
    route("web", `rules:${NAMES.map((name) => namedRule(name)).join("")}`),
    limited("header", [`${KEY}, requests: 3, per: Minute`]),
    limited("burst", [`${KEY}, requests: 600, per: Minute, burst: 20`]),
    limited("subject", [`${SUBJECT}, requests: 3, per: Minute`]),
    limited("both", [
      "by: { type: ClientAddress }, scope: Shared, requests: 5, per: Hour",
      `${SUBJECT}, requests: 3, per: Minute`,
    ]),
    limited("trial", [`${KEY}, requests: 3, per: Minute`], "Report"),
    limited("away", [`${KEY}, requests: 3, per: Hour`]),
    limited("silent", [`${KEY}, requests: 1000, per: Minute`]),
    limited("probe", [`${KEY}, requests: 3, per: Minute`]),
    limited("mixed", [
      `${KEY}, requests: 3, per: Minute`,
      "by: { type: ClientAddress }, requests: 100, per: Minute",
    ]),
  ].join("\n---\n");
}

/**
 * What is asked while every question of Envoy's was answered in time: that is what the limits promise. On a
 * machine that is busy with something else it is asked again, of other callers.
 */
async function counted<T>(ask: (attempt: string) => Promise<T>): Promise<T> {
  for (let attempt = 1; attempt <= 10; attempt++) {
    await untilShared();
    const before = await unanswered();
    const result = await ask(`-${attempt}`);
    if ((await unanswered()) === before) {
      return result;
    }
  }
  throw new Error("Ten times in a row a question was not answered in time");
}

test("a shared limit > is kept by two Envoys together, for each caller", async () => {
  const of = (name: string, requests: number) =>
    counted((attempt) => statuses(requests, "/header", as(name + attempt)));
  expect(await of("ada", 6)).toEqual([200, 200, 200, 429, 429, 429]);
  expect(await of("bob", 3)).toEqual([200, 200, 200]);
  expect(await statuses(8, "/header")).toEqual(Array(8).fill(200));
});

test("an answer > says what is left, and a refusal how long to wait and which limit it was", async () => {
  const answers = await counted(async (attempt) => {
    const headers = as(`a-third-caller${attempt}`);
    return inTurn(4, (port) => ask(port, "/header", { headers }));
  });
  expect(answers.map(({ headers }) => headers["x-ratelimit-remaining"])).toEqual([
    ...["2", "1", "0", "0"],
  ]);
  const refused = answers[3];
  expect(refused?.headers).toMatchObject({
    "retry-after": "20",
    "x-ratelimit-limit": "3, 3;w=60;burst=3",
    "x-ratelimit-reset": "60",
    "content-type": "application/problem+json",
  });
  expect(refused?.headers).not.toHaveProperty("x-envoy-ratelimited");
  expect(refused?.json()).toMatchObject({ status: 429, code: "too-many-requests" });
  const log = () => replicas[1].envoyLog();
  await until(() => log().includes('"limit":"portico/header/0"'));
  expect(log()).not.toContain("a-third-caller");
});

test("a shared limit > lets callers at both Envoys at once have what it says, no more and no less", async () => {
  await untilShared();
  const before = await unanswered();
  const started = performance.now();
  const waves = await Promise.all(
    Array.from({ length: 12 }, async (_, caller) => {
      const lanes = [0, 1].map((lane) => burstOf(30, lane, `caller-${caller}`));
      return (await Promise.all(lanes)).flat();
    }),
  );
  const flowedIn = ((performance.now() - started) / 1000) * 10;
  const uncounted = (await unanswered()) - before;
  for (const answers of waves) {
    expect(count(200, answers) + count(429, answers)).toBe(60);
    expect(count(200, answers)).toBeGreaterThanOrEqual(20);
    expect(count(200, answers)).toBeLessThanOrEqual(20 + flowedIn + uncounted);
  }
});

async function burstOf(requests: number, lane: number, key: string): Promise<number[]> {
  const answers: number[] = [];
  for (let asked = 0; asked < requests; asked++) {
    answers.push((await ask(at(lane), "/burst", { headers: as(key) })).status);
  }
  return answers;
}

test("a shared limit by claim > counts subjects, behind the limit by address", async () => {
  const by = async (sub: string) => ({
    authorization: `Bearer ${await issuer.signToken({ sub })}`,
  });
  const of = (sub: string, requests: number, path = "/subject") =>
    counted(async (attempt) => statuses(requests, path, await by(sub + attempt)));
  expect(await of("ada", 4)).toEqual([200, 200, 200, 429]);
  expect(await of("bob", 1)).toEqual([200]);
  expect(await statuses(2, "/subject")).toEqual([401, 401]);

  const token = await by("ada");
  const [first, ...others] = await counted(() =>
    inTurn(6, (port) => ask(port, "/both", { headers: token })),
  );
  // What is left to the subject; and when the address has nothing left, what is left to that.
  expect(first?.headers["x-ratelimit-limit"]).toBe("3, 3;w=60;burst=3");
  expect(others.map(({ status }) => status)).toEqual([200, 200, 429, 429, 429]);
  expect(others.at(-1)?.headers).toMatchObject({
    "x-ratelimit-limit": "5, 5;w=3600;burst=5",
    "retry-after": "720",
  });
});

test("report mode > lets all pass, and says in the access log and a counter which limit it would have been", async () => {
  await counted(async (attempt) => {
    expect(await statuses(5, "/trial", as(`ada${attempt}`))).toEqual(Array(5).fill(200));
  });
  const reported = () =>
    replicas.flatMap(({ envoyLog }) => envoyLog().match(/"wouldLimit":"portico.trial.0"/g) ?? []);
  await until(() => reported().length >= 2);
  // More, where Envoy had stopped waiting.
  const counter = await decisions("portico/trial/0", "reported");
  expect(counter).toBeGreaterThanOrEqual(reported().length);
});

test("a route with both kinds > tells the client of the shared one", async () => {
  const { headers } = await counted((attempt) =>
    ask(at(0), "/mixed", { headers: as(`ada${attempt}`) }),
  );
  expect(headers["x-ratelimit-limit"]).toBe("3, 3;w=60;burst=3");
});

test("keys in Redis > do not say who was counted", async () => {
  await statuses(1, "/header", as("a-secret-key"));
  const administrator = new Redis(redis.administratorUrl);
  const keys = await administrator.keys("*");
  administrator.disconnect();
  expect(keys.length).toBeGreaterThan(0);
  for (const key of keys) {
    expect(key).toMatch(/^gateway:limit:([\w-]{22}|probe)$/);
  }
});

test("the gateway's user in Redis > reaches its buckets and nothing else", async () => {
  const user = new Redis(redis.urlOf(USER));
  for (const command of [
    ["get", "posts:1"],
    ["keys", "*"],
    ["del", "gateway:limit:a"],
    ["xlen", "events:all"],
  ]) {
    const [name = "", ...values] = command;
    await expect(user.call(name, ...values)).rejects.toThrow("NOPERM");
  }
  user.disconnect();
});

test("a controller that is killed > makes no request fail; the limit is shared again when it is back", async () => {
  await replicas[0].stopController();
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => ask(at(0), "/away", { headers: as("ada") })),
  );
  const seen = answers.map(({ status }) => status);
  expect([count(200, seen), count(429, seen)]).toEqual([4, 6]);
  await replicas[0].startController();
  await untilShared();
});

test("Redis that is killed > makes no request fail: each Envoy keeps the limit, and both together when it is back", async () => {
  await redis.kill();
  const answers = await statuses(20, "/away", as("carol"));
  expect([count(200, answers), count(429, answers)]).toEqual([8, 12]);
  expect(await decisions("portico/away/0", "unavailable")).toBeGreaterThan(0);
  await until(() =>
    replicas.every(({ controllerLog }) => controllerLog().includes("shared-limits.away")),
  );
  await redis.start();
  await untilShared();
  const again = await counted((attempt) => statuses(5, "/away", as(`dave${attempt}`)));
  expect(again).toEqual([200, 200, 200, 429, 429]);
});

test.each([
  ["Redis", 12, () => redis.freeze(), () => redis.thaw()],
  ["a controller", 40, () => replicas[0].freezeController(), () => replicas[0].thawController()],
])(
  "%s that is silent > is waited for by a few requests, and not by the rest",
  async (_, most, freeze, thaw) => {
    await untilShared();
    freeze();
    const times = await timesOf(80, "/silent");
    expect(times.filter((ms) => ms > WAITED_MS).length).toBeLessThan(most);
    thaw();
    await untilShared();
  },
);

/** Less than a request waits for an answer that does not come, and more than it takes without. */
const WAITED_MS = 35;

async function timesOf(requests: number, path: string): Promise<number[]> {
  const times: number[] = [];
  for (let asked = 0; asked < requests; asked++) {
    const started = performance.now();
    expect((await ask(at(0), path, { headers: as("ada") })).status).toBe(200);
    times.push(performance.now() - started);
  }
  return times;
}

type Headers = Readonly<Record<string, string>>;
const as = (key: string): Headers => ({ "x-api-key": key });

function at(turn: number): number {
  return replicas[turn % 2 === 0 ? 0 : 1].port;
}

/** At one Envoy and the other. */
async function inTurn<T>(times: number, ask: (port: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let turn = 0; turn < times; turn++) {
    results.push(await ask(at(turn)));
  }
  return results;
}

async function statuses(times: number, path: string, headers: Headers = {}): Promise<number[]> {
  const answers = await inTurn(times, (port) => ask(port, path, { headers }));
  return answers.map(({ status }) => status);
}

function count(status: number, answers: readonly number[]): number {
  return answers.filter((one) => one === status).length;
}

let probes = 0;
async function untilShared() {
  await until(async () => {
    const key = as(`probe-${++probes}`);
    return (await statuses(4, "/probe", key)).join() === "200,200,200,429";
  });
}

/** Requests that were let through without a count. */
async function unanswered(): Promise<number> {
  const sums = replicas.map(async ({ adminPort }) => {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/stats?filter=failure_mode_allowed`);
    return sum((await answer.text()).split("\n").filter(Boolean), ": ");
  });
  const away = NAMES.map((name) => decisions(`portico/${name}/0`, "unavailable"));
  return (await Promise.all([...sums, ...away])).reduce((total, one) => total + one, 0);
}

async function decisions(limit: string, decision: string): Promise<number> {
  const texts = await Promise.all(replicas.map(({ readMetrics }) => readMetrics()));
  const start = `gateway_shared_limit_decisions_total{limit="${limit}",decision="${decision}"} `;
  const lines = texts.flatMap((text) => text.split("\n"));
  return sum(
    lines.filter((line) => line.startsWith(start)),
    "} ",
  );
}

function sum(lines: readonly string[], before: string): number {
  return lines.reduce((total, line) => total + Number(line.split(before)[1]), 0);
}

import {
  createTestIssuer,
  envoy,
  findBinary,
  findFreePorts,
  type TestIssuer,
} from "@portico/dev-env";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GATEWAY_CLASS, gatewayOn, namedRule, policy, route, service, tokensOf } from "./given.ts";
import {
  type Answer,
  ask,
  type RealGateway,
  startRealGateway,
  startUpstream,
  type Upstream,
  until,
} from "./real-envoy.ts";

/** RateLimitPolicy and TrafficPolicy on a real Envoy. Each rule has buckets of its own, so tests do not disturb one another. */

let issuer: TestIssuer;
let gateway: RealGateway;
let web: Upstream;
let failing: Upstream;
let port: number;

const on = (kind: string, name: string, spec: string, rules: string[] = [name]) =>
  policy(
    name,
    `targetRefs: [${rules.map((one) => `{ kind: HTTPRoute, name: web, sectionName: ${one} }`).join(", ")}]\n${spec}`,
    kind,
  );
const limited = (name: string, by: string, more = "", rules?: string[]) =>
  on("RateLimitPolicy", name, `limits: [{ by: ${by}, requests: 3, per: Minute }]${more}`, rules);
const ADDRESS = "{ type: ClientAddress }";

beforeAll(async () => {
  [issuer, web, failing] = await Promise.all([
    createTestIssuer(),
    startUpstream("web"),
    startUpstream("failing"),
  ]);
  [port = 0] = await findFreePorts(1);
  const rules = [
    "plain",
    "address",
    "shared-a",
    "shared-b",
    "header",
    "subject",
    "trial",
    "all",
    "both",
    "fast",
    "small",
    "zipped",
  ];
  gateway = await startRealGateway(
    await findBinary(envoy),
    [
      GATEWAY_CLASS,
      gatewayOn(port),
      policy("tokens", tokensOf(issuer)),
      policy(
        "open",
        `targetRefs: [${rules
          .filter((name) => name !== "subject")
          .map((name) => `{ kind: HTTPRoute, name: web, sectionName: ${name} }`)
          .join(", ")}, { kind: HTTPRoute, name: failing }]
requirement: None`,
      ),
      service("keys", Number(new URL(issuer.jwksUrl).port)),
      service("web", web.port),
      service("failing", failing.port),
      route("web", `rules:${rules.map((name) => namedRule(name)).join("")}`),
      route("failing", `rules:${namedRule("failing", "failing")}`),
      limited("address", ADDRESS),
      limited("shared", ADDRESS, "", ["shared-a", "shared-b"]),
      limited("header", "{ type: Header, name: X-Api-Key }"),
      limited("subject", "{ type: Claim, name: sub }"),
      limited("trial", ADDRESS, "\nmode: Report"),
      limited("all", "{ type: Everyone }"),
      on(
        "RateLimitPolicy",
        "both",
        `limits:
  - { by: { type: Header, name: x-api-key }, requests: 2, per: Minute }
  - { by: ${ADDRESS}, requests: 3, per: Hour }`,
      ),
      on("TrafficPolicy", "fast", "timeouts: { request: 1s }"),
      on("TrafficPolicy", "small", "maxRequestBytes: 10"),
      on("TrafficPolicy", "zipped", "compression: { algorithms: [gzip, brotli] }"),
      policy(
        "failing",
        `targetRefs: [{ group: "", kind: Service, name: failing }]
mode: Report
circuitBreaker: { maxParallelRequests: 1, maxPendingRequests: 1 }
outlierDetection: { consecutiveErrors: 3 }`,
        "TrafficPolicy",
      ),
    ].join("\n---\n"),
  );
  await until(async () => (await ask(port, "/plain")).status === 200);
});

afterAll(async () => {
  await gateway?.stop();
  await Promise.all([web.stop(), failing.stop(), issuer.close()]);
});

async function statuses(count: number, path: string, headers = {}): Promise<number[]> {
  const answers: number[] = [];
  for (let asked = 0; asked < count; asked++) {
    answers.push((await ask(port, path, { headers })).status);
  }
  return answers;
}

const OVER = [200, 200, 200, 429, 429];

test("a limit > lets so many through, and tells the rest how long to wait and what the limit is", async () => {
  const before = web.count();
  const first = await ask(port, "/address");
  expect(first.headers).toMatchObject({
    "x-ratelimit-limit": expect.stringMatching(/^3/),
    "x-ratelimit-remaining": "2",
  });
  expect(await statuses(3, "/address")).toEqual([200, 200, 429]);
  const refused: Answer = await ask(port, "/address");
  expect(refused.headers).toMatchObject({
    "retry-after": "20",
    "x-ratelimit-remaining": "0",
    "content-type": "application/problem+json",
  });
  expect(refused.json<object>()).toMatchObject({ status: 429, code: "too-many-requests" });
  expect(web.count()).toBe(before + 3);
  expect(await statuses(5, "/plain")).toEqual([200, 200, 200, 200, 200]);
});

test("a limit by address > is not walked around by headers, the spelling of the path or a query", async () => {
  expect(await statuses(1, "/address")).toEqual([429]);
  for (const name of [
    "x-forwarded-for",
    "forwarded",
    "x-real-ip",
    "x-envoy-external-address",
    "true-client-ip",
  ]) {
    expect(await statuses(1, "/address", { [name]: `203.0.113.${name.length}` })).toEqual([429]);
  }
  for (const path of ["/address/", "/address?a=1", "//address", "/%61ddress", "/./address"]) {
    expect(await statuses(1, path)).toEqual([429]);
  }
});

test("a limit on two rules > is one limit", async () => {
  expect(await statuses(2, "/shared-a")).toEqual([200, 200]);
  expect(await statuses(2, "/shared-b")).toEqual([200, 429]);
  expect(await statuses(1, "/shared-a")).toEqual([429]);
});

test("a limit by header > counts each value for itself, and nothing without the header", async () => {
  expect(await statuses(5, "/header", { "x-api-key": "a" })).toEqual(OVER);
  expect(await statuses(2, "/header", { "x-api-key": "b" })).toEqual([200, 200]);
  expect(await statuses(5, "/header")).toEqual([200, 200, 200, 200, 200]);
  expect((await ask(port, "/header")).headers).not.toHaveProperty("x-ratelimit-limit");
});

test("a limit by claim > counts each subject for itself, by a token that is verified", async () => {
  const by = async (sub: string) => ({
    authorization: `Bearer ${await issuer.signToken({ sub })}`,
  });
  expect(await statuses(5, "/subject", await by("ada"))).toEqual(OVER);
  expect(await statuses(1, "/subject", await by("bob"))).toEqual([200]);
  expect(await statuses(2, "/subject")).toEqual([401, 401]);
});

test("a limit for everyone > is one bucket", async () => {
  expect(await statuses(2, "/all", { "x-api-key": "a" })).toEqual([200, 200]);
  expect(await statuses(2, "/all", { "x-api-key": "b" })).toEqual([200, 429]);
});

test("two limits > are both kept, and the longer wait is said", async () => {
  expect(await statuses(3, "/both", { "x-api-key": "a" })).toEqual([200, 200, 429]);
  expect(await statuses(3, "/both", { "x-api-key": "b" })).toContain(429);
  expect((await ask(port, "/both", { headers: { "x-api-key": "a" } })).headers["retry-after"]).toBe(
    "1200",
  );
});

test("report mode > lets all pass, and says in the access log and a counter what it would have refused", async () => {
  expect(await statuses(5, "/trial")).toEqual([200, 200, 200, 200, 200]);
  const lines = () =>
    gateway
      .log()
      .split("\n")
      .filter((line) => line.includes('"portico/web/trial"'))
      .map((line) => JSON.parse(line).wouldLimit);
  await until(() => lines().length === 5);
  expect(lines()).toEqual([null, null, null, "true", "true"]);
  expect(await counter("reported.http_local_rate_limit.rate_limited")).toBe(2);
  expect(await counter("reported.http_local_rate_limit.enforced")).toBe(0);
});

test("a TrafficPolicy's timeout and size > count where the rule itself says nothing", async () => {
  expect((await ask(port, "/fast/slow")).status).toBe(504);
  expect((await ask(port, "/fast")).status).toBe(200);
  const post = (path: string) => ask(port, path, { method: "POST", body: "more than ten" });
  expect((await post("/small")).status).toBe(413);
  expect((await post("/plain")).status).toBe(200);
});

test("compression > is for the rule that asks for it and the client that takes it", async () => {
  const encoding = async (path: string, accepted: string) =>
    (await ask(port, `${path}?${"x".repeat(2000)}`, { headers: { "accept-encoding": accepted } }))
      .headers["content-encoding"];
  expect(await encoding("/zipped", "gzip")).toBe("gzip");
  expect(await encoding("/zipped", "br")).toBe("br");
  expect(await encoding("/zipped", "zstd")).toBe(undefined);
  expect(await encoding("/zipped", "identity")).toBe(undefined);
  expect(await encoding("/plain", "gzip")).toBe(undefined);
});

test("a circuit breaker > refuses what is over its size, and only of its Service", async () => {
  const together = (path: string) =>
    Promise.all(Array.from({ length: 6 }, async () => (await ask(port, path)).status));
  expect(await together("/failing/slow")).toContain(503);
  expect(await together("/plain/slow")).toEqual([200, 200, 200, 200, 200, 200]);
});

test("outlier detection in report mode > counts an endpoint that fails and leaves it in", async () => {
  await until(async () => (await ask(port, "/failing")).status === 200);
  for (let asked = 0; asked < 4; asked++) {
    await ask(port, "/failing/reset", { method: "POST" });
  }
  expect(
    await counter("outlier_detection.ejections_detected_consecutive_gateway_failure"),
  ).toBeGreaterThan(0);
  expect(await counter("outlier_detection.ejections_enforced_total")).toBe(0);
  expect((await ask(port, "/failing")).status).toBe(200);
});

async function counter(end: string): Promise<number> {
  const stats = await (await fetch(`http://127.0.0.1:${gateway.adminPort}/stats`)).text();
  const lines = stats.split("\n").filter((one) => one.includes(`${end}: `));
  return lines.reduce((sum, line) => sum + Number(line.split(": ")[1]), 0);
}

import {
  createTestIssuer,
  envoy,
  findBinary,
  findFreePorts,
  type TestIssuer,
} from "@portico/dev-env";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GATEWAY_CLASS, gatewayOn, namedRule, policy, route, service } from "./given.ts";
import {
  ask,
  type Question,
  type RealGateway,
  startRealGateway,
  startUpstream,
  type Upstream,
  until,
} from "./real-envoy.ts";

/** Policies on a real Envoy: who is refused and how it is said, and what report mode counts. */

let issuer: TestIssuer;
let partner: TestIssuer;
let gateway: RealGateway;
let web: Upstream;
let port: number;
let openPort: number;

const keys = (name: string) =>
  `jwks: { backendRef: { name: ${name}, port: 80 }, path: /auth/jwks }`;
const portOf = ({ jwksUrl }: TestIssuer) => Number(new URL(jwksUrl).port);
const onRule = (name: string, spec: string, target = name) =>
  policy(name, `targetRefs: [{ kind: HTTPRoute, name: web, sectionName: ${target} }]\n${spec}`);

beforeAll(async () => {
  [issuer, partner, web] = await Promise.all([
    createTestIssuer(),
    createTestIssuer(),
    startUpstream("web"),
  ]);
  [port = 0, openPort = 0] = await findFreePorts(2);
  const provider = `issuer: ${issuer.issuer}\naudiences: [${issuer.audience}]\n${keys("keys")}`;
  gateway = await startRealGateway(
    await findBinary(envoy),
    [
      GATEWAY_CLASS,
      gatewayOn(port),
      gatewayOn(openPort, "open"),
      policy(
        "tokens",
        `targetRefs: [{ kind: Gateway, name: portico }]
${provider}
claimsToHeaders: [{ claim: sub, header: x-user-id }]
providers:
  - { issuer: https://partner.example, audiences: [partner], ${keys("partner")} }`,
      ),
      policy(
        "trial-of-tokens",
        `targetRefs: [{ kind: Gateway, name: open }]\nmode: Report\n${provider}`,
      ),
      service("keys", portOf(issuer)),
      service("partner", portOf(partner)),
      service("web", web.port),
      route(
        "web",
        `rules:${["plain", "scoped", "claimed", "trial"].map((name) => namedRule(name)).join("")}`,
      ).replace("{ name: portico }", "{ name: portico }, { name: open }"),
      onRule("scoped", "requirement: Required\nscopes: [posts:read, posts:write]"),
      onRule(
        "claimed",
        "requirement: Required\nclaims: [{ name: roles, values: [admin] }, { name: level, values: [7, 8] }]",
      ),
      onRule("trial", "requirement: Required\nmode: Report\nscopes: [posts:write]"),
    ].join("\n---\n"),
  );
  await until(async () => (await ask(port, "/plain", await bearer())).status === 200);
});

afterAll(async () => {
  await gateway?.stop();
  await Promise.all([web.stop(), issuer.close(), partner.close()]);
});

async function bearer(claims = {}, from = issuer): Promise<Question> {
  return { headers: { authorization: `Bearer ${await from.signToken(claims)}` } };
}

test("a scope that is missing > is 403 insufficient_scope, and says which scopes are needed", async () => {
  for (const scope of [
    undefined,
    "",
    "posts:read",
    "posts:reader posts:write",
    "xposts:read posts:write",
  ]) {
    const answer = await ask(port, "/scoped", await bearer({ scope }));
    expect(answer.status).toBe(403);
    expect(answer.headers["www-authenticate"]).toBe(
      'Bearer error="insufficient_scope", scope="posts:read posts:write"',
    );
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(answer.json<object>()).toMatchObject({
      status: 403,
      code: "insufficient-scope",
      detail: expect.stringContaining("posts:read posts:write"),
    });
  }
  const enough = await bearer({ scope: "openid posts:write posts:read" });
  expect((await ask(port, "/scoped", enough)).status).toBe(200);
  expect((await ask(port, "/scoped")).status).toBe(401);
});

test("a claim > passes with one of its values, alone or in a list, and only with all the claims asked for", async () => {
  const status = async (claims: object) =>
    (await ask(port, "/claimed", await bearer(claims))).status;
  expect(await status({ roles: ["user", "admin"], level: 7 })).toBe(200);
  expect(await status({ roles: "admin", level: 8 })).toBe(200);
  expect(await status({ roles: "admin", level: "8" })).toBe(403);
  expect(await status({ roles: ["administrator"], level: 8 })).toBe(403);
  expect(await status({ roles: ["admin"] })).toBe(403);
  expect(await status({})).toBe(403);
  const refused = await ask(port, "/claimed", await bearer({}));
  expect(refused.json<object>()).toMatchObject({ status: 403, code: "forbidden" });
});

test("a claim > that the policy names reaches the service as a header, and never a client's own", async () => {
  const { headers } = await bearer({ sub: "ada" });
  const answer = await ask(port, "/plain", { headers: { ...headers, "x-user-id": "eve" } });
  expect(answer.json().headers["x-user-id"]).toBe("ada");
});

test("a second issuer > is as good as the first for its own tokens, and for nobody else's", async () => {
  const status = async (claims: object, from: TestIssuer) =>
    (await ask(port, "/plain", await bearer(claims, from))).status;
  const theirs = { iss: "https://partner.example", aud: "partner" };
  expect(await status(theirs, partner)).toBe(200);
  expect(await status(theirs, issuer)).toBe(401);
  expect(await status({ ...theirs, aud: issuer.audience }, partner)).toBe(401);
  expect(await status({ iss: issuer.issuer }, partner)).toBe(401);
});

const lines = () =>
  gateway
    .log()
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as { requestId: string; wouldRefuse: string | null });

async function loggedAs(answer: { headers: Readonly<Record<string, string>> }) {
  const find = () => lines().find(({ requestId }) => requestId === answer.headers["x-request-id"]);
  await until(() => find() !== undefined);
  return find()?.wouldRefuse;
}

test("report mode > lets pass what it would refuse, and says so in the access log and in a counter", async () => {
  const poor = await ask(port, "/trial", await bearer({ scope: "posts:read" }));
  expect(poor.status).toBe(200);
  expect(await loggedAs(poor)).toBe("portico/trial:scopes");
  const rich = await ask(port, "/trial", await bearer({ scope: "posts:write" }));
  expect(rich.status).toBe(200);
  expect(await loggedAs(rich)).toBe(null);
  expect(await counter("portico/trial:scopes.shadow_denied")).toBe(1);
});

test("report mode > of a Gateway lets strangers in, counts them, and opens nothing elsewhere", async () => {
  const stranger = await ask(openPort, "/plain");
  expect(stranger.status).toBe(200);
  expect(await loggedAs(stranger)).toBe("portico/trial-of-tokens:token");
  const forged = await ask(openPort, "/plain", {
    headers: { authorization: `Bearer ${await issuer.forgedToken()}` },
  });
  expect(await loggedAs(forged)).toBe("portico/trial-of-tokens:token");
  expect(await loggedAs(await ask(openPort, "/plain", await bearer()))).toBe(null);
  expect((await ask(openPort, "/scoped")).status).toBe(401);
});

async function counter(end: string): Promise<number> {
  const stats = await (
    await fetch(`http://127.0.0.1:${gateway.adminPort}/stats?filter=rbac`)
  ).text();
  const line = stats.split("\n").find((one) => one.includes(`${end}: `));
  return Number(line?.split(": ")[1]);
}

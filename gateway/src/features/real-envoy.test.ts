import { createHmac, createPublicKey } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  createTestIssuer,
  envoy,
  findBinary,
  findFreePorts,
  type TestIssuer,
} from "@portico/dev-env";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GATEWAY_CLASS, policy, route, service } from "./given.ts";
import {
  type Answer,
  ask,
  askRaw,
  type Question,
  type RealGateway,
  startGarbage,
  startRealGateway,
  startUpstream,
  type Upstream,
  until,
} from "./real-envoy.ts";

/** What the configuration is for: promises to clients and services, kept by a real Envoy. */

let issuer: TestIssuer;
let gateway: RealGateway;
let posts: Upstream;
let cards: Upstream;
let garbage: Upstream;
let token: string;
/** The gateway itself; one without a policy; one whose issuer cannot be reached. */
let port: number;
let closedPort: number;
let darkPort: number;
let deadPort: number;
/** Asked for at the start, because the answer takes Envoy's ten seconds. */
let unfinished: Promise<string>;

const gatewayOn = (name: string, listenerPort: number) => `
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: ${name}, annotations: { gateway.portico.dev/access: deny } }
spec: { gatewayClassName: portico, listeners: [{ name: http, port: ${listenerPort}, protocol: HTTP }] }
`;
const tokensOn = (name: string, keys: string) =>
  policy(
    `tokens-of-${name}`,
    `
targetRefs: [{ kind: Gateway, name: ${name} }]
issuer: ${issuer.issuer}
audiences: [${issuer.audience}]
extractFrom: { cookies: [__Host-access] }
jwks: { backendRef: { name: ${keys}, port: 80 }, path: /auth/jwks }`,
  );
const onAll = (yaml: string) =>
  yaml.replace("{ name: portico }", "{ name: portico }, { name: closed }, { name: dark }");

const rule = (path: string, backend: string, more = "") =>
  `\n  - matches: [{ path: { value: ${path} } }]\n    backendRefs: [{ name: ${backend}, port: 80 }]${more}`;
const ROUTES = [
  onAll(
    route(
      "posts",
      `
rules:
  - name: public
    matches: [{ path: { type: Exact, value: /posts/openapi.json }, method: GET }]
    backendRefs: [{ name: posts, port: 80 }]${rule("/posts", "posts", "\n    timeouts: { request: 1s }")}`,
    ),
  ),
  policy(
    "public",
    "targetRefs: [{ kind: HTTPRoute, name: posts, sectionName: public }]\nrequirement: None",
  ),
  route("cards", `rules:${rule("/cards", "cards")}${rule("/transactions", "cards")}`),
  route(
    "broken",
    `rules:${rule("/dead", "dead")}${rule("/garbage", "garbage")}${rule("/nobody", "nobody")}`,
  ),
];

beforeAll(async () => {
  issuer = await createTestIssuer();
  token = await issuer.signToken();
  [posts, cards, garbage] = await Promise.all([
    startUpstream("posts"),
    startUpstream("cards"),
    startGarbage(),
  ]);
  [port = 0, closedPort = 0, darkPort = 0, deadPort = 0] = await findFreePorts(4);
  gateway = await startRealGateway(
    await findBinary(envoy),
    [
      GATEWAY_CLASS,
      gatewayOn("portico", port),
      gatewayOn("closed", closedPort),
      gatewayOn("dark", darkPort),
      tokensOn("portico", "keys"),
      tokensOn("dark", "dead"),
      service("keys", Number(new URL(issuer.jwksUrl).port)),
      service("posts", posts.port),
      service("cards", cards.port),
      service("garbage", garbage.port),
      service("dead", deadPort),
      service("nobody", deadPort, false),
      ...ROUTES,
    ].join("\n---\n"),
  );
  await until(async () => (await ask(port, "/posts", bearer())).status === 200);
  unfinished = askRaw(port, "GET /posts HTTP/1.1\r\nHost: localhost\r\n");
});

afterAll(async () => {
  await gateway?.stop();
  await Promise.all([posts.stop(), cards.stop(), garbage.stop(), issuer.close()]);
});

const bearer = (value = token): Question => ({ headers: { authorization: `Bearer ${value}` } });

function problemOf({ status, headers, json }: Answer) {
  expect(headers["content-type"]).toBe("application/problem+json");
  const problem = json<{
    type: string;
    title: string;
    status: number;
    code: string;
    detail: string;
  }>();
  expect(problem).toEqual({
    type: "about:blank",
    title: expect.any(String),
    status,
    code: expect.any(String),
    detail: expect.any(String),
  });
  return `${status} ${problem.code}`;
}

test("a request > reaches the service of its path, whole and with its token", async () => {
  const answer = await ask(port, "/posts/1?draft=true", {
    method: "POST",
    body: "hello",
    headers: { authorization: `Bearer ${token}`, "content-type": "text/plain" },
  });
  expect(answer.status).toBe(200);
  expect(answer.json()).toMatchObject({
    service: "posts",
    method: "POST",
    url: "/posts/1?draft=true",
    bytes: 5,
    headers: { authorization: `Bearer ${token}`, host: `127.0.0.1:${port}` },
  });
  expect((await ask(port, "/transactions", bearer())).json().service).toBe("cards");
});

test("a prefix > ends at a segment: /posts is not /postsx", async () => {
  for (const path of ["/postsx", "/posts.json", "/cardsactive"]) {
    expect(problemOf(await ask(port, path, bearer()))).toBe("404 not-found");
  }
});

test("without a token > everything is 401 but what a policy opens, for the method it opens", async () => {
  const refused = await ask(port, "/posts");
  expect(problemOf(refused)).toBe("401 unauthenticated");
  expect(refused.headers["www-authenticate"]).toBe("Bearer");
  const before = posts.count();
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]) {
    expect([401, 405]).toContain((await ask(port, "/cards", { method })).status);
  }
  expect((await ask(port, "/posts/openapi.json", { method: "POST" })).status).toBe(401);
  expect(posts.count()).toBe(before);
  expect((await ask(port, "/posts/openapi.json")).status).toBe(200);
});

test("an unknown path > is 401 without a token and 404 with one, whatever the host", async () => {
  for (const host of ["localhost", "portico.example", "127.0.0.1:1"]) {
    const headers = { host };
    expect(problemOf(await ask(port, "/nowhere", { headers }))).toBe("401 unauthenticated");
    const answer = await ask(port, "/nowhere", { headers: { ...headers, ...bearer().headers } });
    expect(problemOf(answer)).toBe("404 not-found");
  }
});

test("a Gateway without a policy > refuses every token, and still serves what is open", async () => {
  expect(problemOf(await ask(closedPort, "/posts", bearer()))).toBe("401 unauthenticated");
  expect(problemOf(await ask(closedPort, "/nowhere", bearer()))).toBe("401 unauthenticated");
  expect((await ask(closedPort, "/posts/openapi.json")).status).toBe(200);
});

test("an issuer that cannot be reached > is 503 and not the caller's fault, and lets nobody in", async () => {
  const answer = await ask(darkPort, "/posts", bearer());
  expect(problemOf(answer)).toBe("503 unavailable");
  expect(answer.headers["retry-after"]).toBe("1");
  expect(problemOf(await ask(darkPort, "/posts"))).toBe("401 unauthenticated");
});

const nowSeconds = () => Math.floor(Date.now() / 1000);
const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");

/** Signed with the public key as if it were a shared secret: the oldest confusion of algorithms. */
async function confusedToken(): Promise<string> {
  const { keys } = (await (await fetch(issuer.jwksUrl)).json()) as {
    keys: [Record<string, string>];
  };
  const pem = createPublicKey({ key: keys[0], format: "jwk" }).export({
    type: "spki",
    format: "pem",
  });
  const [, payload] = token.split(".");
  const signed = `${encode({ alg: "HS256", typ: "at+jwt", kid: "test" })}.${payload}`;
  return `${signed}.${createHmac("sha256", pem).update(signed).digest("base64url")}`;
}

test.each<[string, () => string | Promise<string>]>([
  ["is expired", () => issuer.expiredToken()],
  ["expired ten seconds ago", () => issuer.signToken({ exp: nowSeconds() - 10 })],
  ["is not valid yet", () => issuer.signToken({ nbf: nowSeconds() + 60 })],
  ["never expires", () => issuer.signToken({ exp: undefined })],
  ["is signed by another key", () => issuer.forgedToken()],
  ["names an unknown key", () => issuer.signToken({}, { kid: "unknown" })],
  ["is for another audience", () => issuer.foreignAudienceToken()],
  ["is for no audience", () => issuer.signToken({ aud: undefined })],
  ["is of another issuer", () => issuer.signToken({ iss: "https://elsewhere.example" })],
  ["is not signed", () => `${encode({ alg: "none" })}.${token.split(".")[1]}.`],
  ["confuses a public key with a secret", confusedToken],
  ["has an edited payload", () => token.replace(/\.[^.]+\./, `.${encode({ sub: "admin" })}.`)],
  ["is not a JWT", () => "opaque"],
  ["is empty", () => ""],
])("a token that %s > is refused, where the good one passes", async (_what, forge) => {
  const before = cards.count();
  const answer = await ask(port, "/cards", bearer(await forge()));
  expect(problemOf(answer)).toBe("401 unauthenticated");
  expect(answer.headers["www-authenticate"]).toMatch(/^Bearer( error="invalid_token")?$/);
  expect(cards.count()).toBe(before);
  expect((await ask(port, "/cards", bearer())).status).toBe(200);
});

test("a token that is bound to a key > goes to the service with its proof, and is no less verified", async () => {
  const bound = await issuer.signToken({ cnf: { jkt: "of-a-key" } });
  const dpop = (value: string): Question => ({
    headers: { authorization: `DPoP ${value}`, dpop: "proof" },
  });
  const answer = await ask(port, "/posts/1", dpop(bound));
  expect(answer.json()).toMatchObject({
    service: "posts",
    headers: { authorization: `DPoP ${bound}`, dpop: "proof" },
  });
  expect(problemOf(await ask(port, "/posts/1", dpop(await issuer.expiredToken())))).toBe(
    "401 unauthenticated",
  );
  expect((await ask(port, "/posts/1", dpop(await issuer.forgedToken()))).status).toBe(401);
});

test("a token in the cookie that the policy names > passes like one in the header, and is no less verified", async () => {
  const cookie = (value: string): Question => ({
    headers: { cookie: `theme=dark; __Host-access=${value}; other=1` },
  });
  const answer = await ask(port, "/cards", cookie(token));
  expect(answer.json()).toMatchObject({ service: "cards", headers: cookie(token).headers });
  const before = cards.count();
  for (const bad of [await issuer.expiredToken(), await issuer.forgedToken(), "", "a.b.c"]) {
    expect(problemOf(await ask(port, "/cards", cookie(bad)))).toBe("401 unauthenticated");
  }
  expect(cards.count()).toBe(before);
});

test("a token in the header > passes with a good one in the cookie, and neither makes up for a bad other", async () => {
  const both = async (header: string, cookie: string) => {
    const headers = { authorization: `Bearer ${header}`, cookie: `__Host-access=${cookie}` };
    return (await ask(port, "/cards", { headers })).status;
  };
  expect(await both(token, token)).toBe(200);
  const forged = await issuer.forgedToken();
  expect(await both(forged, token)).toBe(401);
  expect(await both(token, forged)).toBe(401);
});

test("a token > is taken from the Authorization header, the named cookie, and from nowhere else", async () => {
  const elsewhere: Question["headers"][] = [
    { cookie: `access_token=${token}` },
    { "x-authorization": `Bearer ${token}` },
    { authorization: token },
    { authorization: `Basic ${token}` },
  ];
  for (const headers of elsewhere) {
    expect((await ask(port, "/cards", { headers })).status).toBe(401);
  }
  expect((await ask(port, `/cards?access_token=${token}`)).status).toBe(401);
});

test.each([
  "/posts/openapi.json/",
  "/posts/openapi.json/../1",
  "/posts/openapi.json/%2e%2e/1",
  "/posts/openapi.json;x",
  "/posts/openapi.json%20",
  "/posts/OpenAPI.json",
  "/POSTS/openapi.json",
  "/posts/openapi.jsonx",
  "/posts//1",
  "//posts",
  "/./posts",
  "/p%6fsts/1",
])("a path spelt %s > opens nothing", async (path) => {
  const before = posts.count();
  expect((await ask(port, path)).status).toBe(401);
  expect(posts.count()).toBe(before);
});

test.each(["/posts%2fopenapi.json", "/posts/openapi.json%5c..%5c1", "/posts/..%2f..%2fcards"])(
  "a path with an encoded slash, %s > is refused with and without a token",
  async (path) => {
    expect(problemOf(await ask(port, path))).toBe("400 invalid-request");
    expect(problemOf(await ask(port, path, bearer()))).toBe("400 invalid-request");
  },
);

test("identity headers > that a client sends reach no service; others do", async () => {
  const forged = {
    "x-user-id": "admin",
    "x-user-roles": "admin",
    "X-User": "admin",
    "x-auth-request-email": "admin@portico.example",
    "x-portico-subject": "admin",
    "x-forwarded-user": "admin",
    "x-forwarded-for": "203.0.113.9",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "evil.example",
    forwarded: "for=203.0.113.9",
    "x-real-ip": "203.0.113.9",
    "x-envoy-upstream-rq-timeout-ms": "1",
    "x-envoy-internal": "true",
    "x-envoy-external-address": "203.0.113.9",
    "x-envoy-retry-on": "5xx",
    "x-envoy-original-path": "/admin",
    "x-original-url": "/admin",
    "x-http-method-override": "DELETE",
    "x-request-id": "mine",
  };
  const answer = await ask(port, "/cards", {
    headers: { ...forged, ...bearer().headers, "x-kept": "1" },
  });
  const { headers } = answer.json();
  const reached = Object.entries(forged).filter(
    ([name, value]) => headers[name.toLowerCase()] === value,
  );
  expect(reached).toEqual([]);
  expect(Object.keys(headers).sort()).toEqual(
    [
      ...["authorization", "host", "traceparent", "tracestate"],
      ...["x-envoy-external-address", "x-forwarded-for"],
      ...["x-forwarded-proto", "x-kept", "x-request-id"],
    ].filter((name) => name in headers),
  );
  expect(headers["x-kept"]).toBe("1");
  expect(headers["x-forwarded-proto"]).toBe("http");
  expect(headers["x-forwarded-for"]).not.toContain("203.0.113.9");
});

test.each(["TRACE", "QUERY", "PROPFIND", "NONSENSE"])(
  "the method %s > reaches no service (405)",
  async (method) => {
    const before = cards.count();
    const answer = await ask(port, "/cards", { ...bearer(), method });
    expect(problemOf(answer)).toBe("405 method-not-allowed");
    expect(answer.headers.allow).toBe("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    expect([401, 405]).toContain((await ask(port, "/cards", { method })).status);
    expect(cards.count()).toBe(before);
  },
);

test("a header with an underscore > is refused: some servers read x_user_id as x-user-id", async () => {
  const headers = { ...bearer().headers, x_user_id: "admin" };
  expect(problemOf(await ask(port, "/cards", { headers }))).toBe("400 invalid-request");
});

test("x-request-id > is Envoy's own, the same for the client and the service", async () => {
  const answers = [await ask(port, "/cards", bearer()), await ask(port, "/cards", bearer())];
  const ids = answers.map(({ headers }) => headers["x-request-id"]);
  expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
  expect(new Set(ids).size).toBe(2);
  expect(answers.map((answer) => answer.json().headers["x-request-id"])).toEqual(ids);
});

test("traceparent > is started when there is none, and continued when there is", async () => {
  const started = (await ask(port, "/cards", bearer())).json().headers.traceparent;
  expect(started).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);

  const trace = "0af7651916cd43dd8448eb211c80319c";
  const parent = "b7ad6b7169203331";
  const headers = { ...bearer().headers, traceparent: `00-${trace}-${parent}-01` };
  const continued = (await ask(port, "/cards", { headers })).json().headers.traceparent;
  expect(continued).toMatch(new RegExp(`^00-${trace}-(?!${parent})[0-9a-f]{16}-0[01]$`));
});

test("the answer > says neither that Envoy is there nor which version", async () => {
  const { headers } = await ask(port, "/cards", bearer());
  expect(headers.server).toBe("portico");
  expect(Object.keys(headers).filter((name) => name.startsWith("x-envoy"))).toEqual([]);
});

test("a service's own error > is passed on untouched", async () => {
  const answer = await ask(port, "/cards/404", bearer());
  expect(answer.status).toBe(404);
  expect(answer.json().service).toBe("cards");
});

test("a body > of 1 MiB passes, one more byte is 413, announced or not", async () => {
  const headers = { ...bearer().headers };
  const post = (body: Buffer, more = {}) =>
    ask(port, "/cards", { method: "POST", body, headers: { ...headers, ...more } });
  expect((await post(Buffer.alloc(1024 * 1024))).json().bytes).toBe(1024 * 1024);
  expect(problemOf(await post(Buffer.alloc(1024 * 1024 + 1)))).toBe("413 payload-too-large");
  const chunked = { "transfer-encoding": "chunked" };
  expect(problemOf(await post(Buffer.alloc(1024 * 1024 + 1), chunked))).toBe(
    "413 payload-too-large",
  );
});

test("a service that is down, empty, slow or talks rubbish > is 503, 504 or 502", async () => {
  const down = await ask(port, "/dead", { ...bearer(), method: "POST" });
  expect(problemOf(down)).toBe("503 unavailable");
  expect(down.headers["retry-after"]).toBe("1");
  expect(problemOf(await ask(port, "/nobody", bearer()))).toBe("503 unavailable");
  expect(problemOf(await ask(port, "/posts/slow", bearer()))).toBe("504 upstream-timeout");
  expect(problemOf(await ask(port, "/garbage", { ...bearer(), method: "POST" }))).toBe(
    "502 upstream-unavailable",
  );
});

test("a write > that was cut off is not sent a second time; a read is", async () => {
  const before = cards.count();
  const write = await ask(port, "/cards/reset", { ...bearer(), method: "POST" });
  expect(problemOf(write)).toBe("503 unavailable");
  expect(cards.count()).toBe(before + 1);
  expect((await ask(port, "/cards/reset", bearer())).status).toBe(503);
  expect(cards.count()).toBe(before + 1 + 4);
});

test("malformed requests > are problem documents too", async () => {
  const raw = (bytes: string) => askRaw(port, bytes);
  const old = await raw("GET /posts HTTP/1.0\r\nHost: localhost\r\n\r\n");
  expect(old).toMatch(/^HTTP\/1.1 426 .*application\/problem\+json.*"upgrade-required"/s);
  const noHost = await raw("GET /posts HTTP/1.1\r\n\r\n");
  expect(noHost).toMatch(/^HTTP\/1.1 400 .*application\/problem\+json.*"invalid-request"/s);
  const rubbish = await raw("\x01\x02 rubbish\r\n\r\n");
  expect(rubbish).toMatch(/^HTTP\/1.1 400 /);
  const big = await ask(port, "/posts", { headers: { "x-big": "x".repeat(13_000) } });
  expect(problemOf(big)).toBe("431 headers-too-large");
});

test("headers that never end > are 408 after ten seconds", async () => {
  expect(await unfinished).toMatch(/^HTTP\/1.1 408 .*"request-timeout"/s);
}, 15_000);

/** Asks one after another until told to stop; what was not 200 is a failure. */
function keepAsking(path: string, question: Question = bearer()) {
  let isStopped = false;
  let asked = 0;
  const failures: string[] = [];
  const services = new Set<string>();
  const worker = async () => {
    while (!isStopped) {
      asked++;
      const answer = await ask(port, path, question).catch((error: Error) => error);
      if (answer instanceof Error || answer.status !== 200) {
        failures.push(answer instanceof Error ? answer.message : `${answer.status} ${answer.text}`);
      } else {
        services.add(answer.json().service);
      }
    }
  };
  const workers = [worker(), worker()];
  return {
    asked: () => asked,
    services,
    async stop() {
      isStopped = true;
      await Promise.all(workers);
      return failures;
    },
  };
}

test("a route that is added, moved and taken away by editing YAML > costs no request", async () => {
  const load = keepAsking("/cards");
  const hot = (backend: string) => route("hot", `rules:${rule("/hot", backend)}`);
  await gateway.put("hot.yaml", hot("posts"));
  await until(async () => (await ask(port, "/hot", bearer())).status === 200);
  await gateway.put("hot.yaml", hot("cards"));
  await until(async () => (await ask(port, "/hot", bearer())).json().service === "cards");
  await gateway.remove("hot.yaml");
  await until(async () => (await ask(port, "/hot", bearer())).status === 404);
  expect(await load.stop()).toEqual([]);
  expect(load.asked()).toBeGreaterThan(10);
});

test("a rule that is opened and closed again > follows its policy", async () => {
  const open = policy("open", "targetRefs: [{ kind: HTTPRoute, name: cards }]\nrequirement: None");
  await gateway.put("open.yaml", open);
  await until(async () => (await ask(port, "/cards")).status === 200);
  await gateway.put("open.yaml", open.replace("None", "Required"));
  await until(async () => (await ask(port, "/cards")).status === 401);
  await gateway.remove("open.yaml");
});

test("a Gateway's policy that is given, taken away and given again > never lets anybody in without a token", async () => {
  const statuses = new Set<number>();
  let isDone = false;
  const stranger = (async () => {
    while (!isDone) {
      statuses.add((await ask(closedPort, "/posts")).status);
    }
  })();
  for (let round = 0; round < 3; round++) {
    await gateway.put("policy.yaml", tokensOn("closed", "keys"));
    await until(async () => (await ask(closedPort, "/posts", bearer())).status === 200);
    await gateway.remove("policy.yaml");
    await until(async () => (await ask(closedPort, "/posts", bearer())).status === 401);
  }
  isDone = true;
  await stranger;
  expect([...statuses]).toEqual([401]);
});

test("endpoints that change > move the traffic without a failed request", async () => {
  const other = await startUpstream("cards-2");
  await gateway.put(
    "moving.yaml",
    `${route("moving", `rules:${rule("/moving", "moving")}`)}\n---\n${service("moving", cards.port)}`,
  );
  await until(async () => (await ask(port, "/moving", bearer())).status === 200);
  const load = keepAsking("/moving");
  await gateway.put(
    "moving.yaml",
    `${route("moving", `rules:${rule("/moving", "moving")}`)}\n---\n${service("moving", other.port)}`,
  );
  await until(() => load.services.has("cards-2"));
  expect(await load.stop()).toEqual([]);
  expect((await ask(port, "/moving", bearer())).json().service).toBe("cards-2");
  await gateway.remove("moving.yaml");
  await other.stop();
});

test("a service that is killed and is back > costs a read nothing", async () => {
  const first = await startUpstream("phoenix");
  await gateway.put(
    "phoenix.yaml",
    `${route("phoenix", `rules:${rule("/phoenix", "phoenix")}`)}\n---\n${service("phoenix", first.port)}`,
  );
  await until(async () => (await ask(port, "/phoenix", bearer())).status === 200);
  const load = keepAsking("/phoenix");
  await until(() => load.asked() > 20);
  await first.stop();
  const second = await startUpstream("phoenix", first.port);
  const asked = load.asked();
  await until(() => load.asked() > asked + 20);
  expect(await load.stop()).toEqual([]);
  await gateway.remove("phoenix.yaml");
  await second.stop();
});

test("a YAML file that breaks and an object that is not valid > leave the rest served and say why", async () => {
  const load = keepAsking("/cards");
  await gateway.put("broken.yaml", "kind: [");
  await gateway.put("invalid.yaml", route("invalid", "rules: [{ filters: [{}] }]"));
  const reasons = async () => {
    const response = await fetch(`http://127.0.0.1:${gateway.ops.port}/status`);
    const { objects } = (await response.json()) as {
      objects: { object: { name: string }; conditions: { reason: string; message: string }[] }[];
    };
    return objects
      .filter(({ object }) => object.name === "invalid" || object.name.endsWith("broken.yaml"))
      .map(({ conditions }) => `${conditions[0]?.reason} ${conditions[0]?.message}`)
      .sort();
  };
  await until(async () => (await reasons()).length === 2);
  expect(await reasons()).toEqual([
    expect.stringMatching(/^Unreadable .*broken\.yaml.* at line 1/),
    expect.stringContaining("UnsupportedValue invalid.yaml#1: spec.rules[0].filters[0].type"),
  ]);
  // Positive control: the controller still acts on what is right.
  await gateway.put("fine.yaml", route("fine", `rules:${rule("/fine", "cards")}`));
  await until(async () => (await ask(port, "/fine", bearer())).status === 200);
  expect(await load.stop()).toEqual([]);
  await Promise.all(["broken.yaml", "invalid.yaml", "fine.yaml"].map(gateway.remove));
});

test("the controller stopped and started again > disturbs nothing and rewrites nothing", async () => {
  const load = keepAsking("/cards");
  await until(async () => (await ask(port, "/fine", bearer())).status === 404);
  const files = ["listeners.json", "clusters.json", `routes/portico_portico_${port}.json`];
  const inodes = () =>
    Promise.all(files.map(async (file) => (await stat(join(gateway.envoyDir, file))).ino));
  const before = await inodes();
  await gateway.stopController();
  expect((await ask(port, "/cards", bearer())).status).toBe(200);
  await gateway.startController();
  expect(await inodes()).toEqual(before);
  expect(await load.stop()).toEqual([]);
});

test("the operations port > tells of health, readiness and counts", async () => {
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${gateway.ops.port}${path}`);
    return `${response.status} ${await response.text()}`;
  };
  expect(await get("/healthz")).toMatch(/^200 /);
  expect(await get("/readyz")).toMatch(/^200 /);
  expect(await get("/nowhere")).toMatch(/^404 /);
  const metrics = await get("/metrics");
  expect(metrics).toMatch(/gateway_rebuild_seconds_count [1-9]/);
  expect(metrics).toContain("gateway_versions_published_total");
  expect(metrics).toContain("gateway_envoy_file_writes_total");
  expect(metrics).toContain("gateway_rejected_objects");
});

test("the access log > is a JSON line per request that joins the service's, without query or token", async () => {
  const answer = await ask(port, "/cards?patient=secret-name", bearer());
  const id = answer.headers["x-request-id"] ?? "";
  const lineOf = () =>
    gateway
      .log()
      .split("\n")
      .find((line) => line.includes(id));
  await until(() => lineOf() !== undefined);
  expect(JSON.parse(lineOf() ?? "")).toMatchObject({
    event: "request.handled",
    method: "GET",
    route: "portico/cards/0",
    status: 200,
    upstream: "portico_cards_80",
    requestId: id,
    traceId: answer.json().headers.traceparent?.split("-")[1],
    durationMs: expect.any(Number),
  });
  expect(gateway.log()).not.toContain("secret-name");
  expect(gateway.log()).not.toContain(token);
  expect(gateway.log()).not.toContain(token.split(".")[2]);
});

test("every file that was written > was taken by Envoy: none was rejected", async () => {
  const bootstrap = JSON.parse(await readFile(join(gateway.envoyDir, "bootstrap.json"), "utf8"));
  const adminPort = bootstrap.admin.address.socket_address.port_value as number;
  const stats = await (await fetch(`http://127.0.0.1:${adminPort}/stats?filter=update_`)).text();
  expect(stats).toContain("listener_manager.lds.update_success");
  const rejected = stats
    .split("\n")
    .filter((line) => /update_(rejected|failure): [1-9]/.test(line));
  expect(rejected).toEqual([]);
});

import { afterAll, beforeAll, expect, test } from "vitest";
import { ask, askRaw, type Upstream } from "./real-envoy.ts";
import { problemOf, type SmallPlatform, startSmallPlatform } from "./small-platform.ts";

/** What a service sees of a request, what a client sees of its answer, and whose fault an error is. */

let platform: SmallPlatform;
let cards: Upstream;
let port: number;

beforeAll(async () => {
  platform = await startSmallPlatform();
  ({ cards, port } = platform);
});

afterAll(() => platform?.stop());

const bearer = (token?: string) => platform.bearer(token);

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

import { envoy, findBinary, findFreePorts } from "@portico/dev-env";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { GATEWAY_CLASS, gatewayOn, policy, route, service } from "./given.ts";
import { type RealGateway, startRealGateway, until } from "./real-envoy.ts";
import { send, startTape, type Tape } from "./wire.ts";

/** One proxy of ours in front of a real Envoy (TRUSTED_HOPS=1): what these tests send is what it would. */

let gateway: RealGateway;
let tape: Tape;
let port: number;

beforeAll(async () => {
  tape = await startTape();
  [port = 0] = await findFreePorts(1);
  const objects = [
    GATEWAY_CLASS,
    gatewayOn(port),
    route(
      "web",
      `rules:
  - name: limited
    matches: [{ path: { value: /limited } }]
    backendRefs: [{ name: web, port: 80 }]
  - backendRefs: [{ name: web, port: 80 }]`,
    ),
    policy(
      "two",
      `targetRefs: [{ kind: HTTPRoute, name: web, sectionName: limited }]
limits: [{ by: { type: ClientAddress }, requests: 2, per: Hour }]`,
      "RateLimitPolicy",
    ),
    service("web", tape.port),
  ];
  gateway = await startRealGateway(await findBinary(envoy), objects.join("\n---\n"), {
    trustedHops: 1,
  });
  await until(async () => (await statusOf("/")) === 200);
});

afterAll(async () => {
  await gateway?.stop();
  await tape.stop();
});

beforeEach(() => {
  tape.take();
});

async function statusOf(path: string, ...headers: string[]): Promise<number> {
  const lines = [`GET ${path} HTTP/1.1`, "Host: portico.example", ...headers];
  return Number(/^HTTP\/1\.1 (\d+)/.exec(await send(port, `${lines.join("\r\n")}\r\n\r\n`))?.[1]);
}

test.each([
  ["the one address that the proxy saw", ["X-Forwarded-For: 203.0.113.9"], "203.0.113.9"],
  ["an IPv6 address", ["X-Forwarded-For: 2001:db8::9"], "2001:db8::9"],
  ["what a client forged before it", ["X-Forwarded-For: 6.6.6.6, 203.0.113.9"], "203.0.113.9"],
  [
    "a long list that a client forged before it",
    ["X-Forwarded-For: 6.6.6.6, 127.0.0.1,10.0.0.1, 203.0.113.9"],
    "203.0.113.9",
  ],
  [
    "what a client forged on a line of its own",
    ["X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 203.0.113.9"],
    "203.0.113.9",
  ],
  ["no word of the proxy", [], "127.0.0.1"],
  ["what is no address", ["X-Forwarded-For: portico"], "127.0.0.1"],
])("%s > a service gets the client's address alone", async (_, headers, address) => {
  expect(await statusOf("/", ...headers)).toBe(200);
  expect(tape.take().match(/x-forwarded-for: .*(?=\r\n)/gi)).toEqual([
    `x-forwarded-for: ${address}`,
  ]);
});

test("X-Forwarded-Proto > is the proxy's; any other X-Forwarded header is dropped", async () => {
  const forged = ["Host", "Port", "Fo", "Forr", "Prot", "Protocol", "User", "Client-Cert"];
  expect(
    await statusOf(
      "/",
      ...["X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https", "X-User-Id: root"],
      ...forged.map((name) => `X-Forwarded-${name}: forged`),
    ),
  ).toBe(200);
  const seen = tape.take();
  expect(seen).toContain("x-forwarded-proto: https\r\n");
  expect(seen).not.toMatch(/forged|x-user-id/i);
});

test("a limit by client address > counts the client that the proxy saw, whatever it forged", async () => {
  const ask = (forged: string, client: string) =>
    statusOf("/limited", `X-Forwarded-For: ${forged}, ${client}`);
  expect(await ask("198.51.100.1", "203.0.113.1")).toBe(200);
  expect(await ask("198.51.100.2", "203.0.113.1")).toBe(200);
  expect(await ask("198.51.100.3", "203.0.113.1")).toBe(429);
  expect(await ask("198.51.100.1", "203.0.113.2")).toBe(200);
});

import { envoy, findBinary, findFreePorts } from "@portico/dev-env";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GATEWAY_CLASS, gatewayOn, service } from "./given.ts";
import {
  ask,
  type RealGateway,
  startRealGateway,
  startUpstream,
  type Upstream,
  until,
} from "./real-envoy.ts";

/** Emissary's Mappings as they are, on a real Envoy. */

let gateway: RealGateway;
let web: Upstream;
let next: Upstream;
let copies: Upstream;
let port: number;

const mapping = (name: string, spec: string) => `
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: { name: ${name} }
spec: { ambassador_id: [default], hostname: "*", ${spec} }`;

beforeAll(async () => {
  [web, next, copies] = (await Promise.all(
    ["web", "next", "copies"].map((name) => startUpstream(name)),
  )) as [Upstream, Upstream, Upstream];
  [port = 0] = await findFreePorts(1);
  gateway = await startRealGateway(
    await findBinary(envoy),
    [
      GATEWAY_CLASS,
      gatewayOn(port),
      ...[service("web", web.port), service("next", next.port), service("copies", copies.port)],
      mapping("orders", "prefix: /orders/, service: web"),
      mapping("canary", "prefix: /shared/, service: next, weight: 30"),
      mapping("stable", "prefix: /shared/, service: web"),
      mapping("shown", "prefix: /shown/, service: web, rewrite: ''"),
      mapping("copy", "prefix: /shown/, service: copies, shadow: true"),
      mapping("header", "prefix: /orders/, service: next, regex_headers: { x-version: 'v[0-9]+' }"),
      mapping(
        "old",
        "prefix: /old/, service: new.example, host_redirect: true, path_redirect: /new, redirect_response_code: 308",
      ),
      mapping("slow", "prefix: /quick/, service: web, timeout_ms: 300"),
      mapping("long", "prefix: /long/, service: web, timeout_ms: 0"),
    ].join("\n---\n"),
  );
  await until(async () => (await ask(port, "/orders/1")).status === 200);
});

afterAll(async () => {
  await gateway?.stop();
  await Promise.all([web, next, copies].map((one) => one.stop()));
});

const seen = async (path: string, headers: Record<string, string> = {}) =>
  (await ask(port, path, { headers })).json();

test("a prefix > is taken away, or kept where rewrite is empty", async () => {
  expect(await seen("/orders/1?a=b")).toMatchObject({ service: "web", url: "/1?a=b" });
  expect(await seen("/shown/1")).toMatchObject({ service: "web", url: "/shown/1" });
  expect((await ask(port, "/ordersx")).status).toBe(404);
});

test("a header's expression > decides before the Mapping that asks for none", async () => {
  expect((await seen("/orders/1", { "x-version": "v2" })).service).toBe("next");
  expect((await seen("/orders/1", { "x-version": "v" })).service).toBe("web");
});

test("weights > are shares of the requests", async () => {
  const services: string[] = [];
  for (let asked = 0; asked < 200; asked++) {
    services.push((await seen("/shared/")).service);
  }
  const share = services.filter((one) => one === "next").length / services.length;
  // Six standard deviations: once in a thousand million runs it is further away.
  expect(Math.abs(share - 0.3)).toBeLessThan(0.2);
});

test("a shadow > is sent a copy, whose answer nobody sees", async () => {
  const before = copies.count();
  expect((await seen("/shown/2")).service).toBe("web");
  await until(() => copies.count() === before + 1);
});

test("host_redirect > says where", async () => {
  const answer = await ask(port, "/old/thing");
  expect([answer.status, answer.headers.location]).toEqual([308, "http://new.example/new"]);
});

test("timeout_ms > ends a request that takes longer, and 0 never does", async () => {
  expect((await ask(port, "/quick/slow")).status).toBe(504);
  expect((await ask(port, "/long/slow")).status).toBe(200);
});

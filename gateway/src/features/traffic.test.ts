import { expect, test } from "vitest";
import { GATEWAY, given, policy, route, service } from "./given.ts";

/** TrafficPolicy in; routes and clusters out. */

const ROUTE = route(
  "web",
  `
rules:
  - name: a
    matches: [{ path: { value: /a } }]
    timeouts: { request: 9s }
    backendRefs: [{ name: web, port: 80 }]
  - name: b
    matches: [{ path: { value: /b } }]
    backendRefs: [{ name: web, port: 80 }]`,
);
const base = [GATEWAY, service("web"), ROUTE];
const traffic = (name: string, target: string, spec: string) =>
  policy(name, `targetRefs: [${target}]\n${spec}`, "TrafficPolicy");
const GATE = "{ kind: Gateway, name: portico }";
const WHOLE = "{ kind: HTTPRoute, name: web }";
const RULE = "{ kind: HTTPRoute, name: web, sectionName: b }";
const SERVICE = '{ group: "", kind: Service, name: web }';

test("timeouts > are the nearest policy's, field by field, and a rule's own before all", () => {
  const routes = given(
    ...base,
    traffic("gate", GATE, "timeouts: { request: 5s, idle: 60s }"),
    traffic("route", WHOLE, "timeouts: { request: 4s }"),
    traffic("rule", RULE, "timeouts: { request: 3s, backendRequest: 1s }"),
  ).routes();
  expect(routes.map(({ route }) => route)).toMatchObject([
    { timeout: "9s", idle_timeout: "60s" },
    { timeout: "3s", idle_timeout: "60s", retry_policy: { per_try_timeout: "1s" } },
  ]);
});

test("size and compression > are for the rules that have them, and nobody else's", () => {
  const [a, b] = given(
    ...base,
    traffic("rule", RULE, "maxRequestBytes: 100\ncompression: { algorithms: [brotli] }"),
  ).routes();
  expect(Object.keys(a?.typed_per_filter_config ?? {})).toEqual(["envoy.filters.http.jwt_authn"]);
  expect(b?.typed_per_filter_config).toMatchObject({
    "envoy.filters.http.buffer": { buffer: { max_request_bytes: 100 } },
    "envoy.filters.http.compressor.brotli": {
      "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig",
    },
  });
});

const cluster = (...yaml: string[]) =>
  given(...base, ...yaml).config.clusters.get("portico_web_80");

test("a Service's policy > is its cluster's circuit breaker, retry budget and outlier detection", () => {
  const spec = `
circuitBreaker: { maxConnections: 10, maxPendingRequests: 0, maxParallelRequests: 20 }
retryBudget: { percent: 25 }
outlierDetection: { consecutiveErrors: 7 }`;
  expect(cluster(traffic("web", SERVICE, spec))).toMatchObject({
    circuit_breakers: {
      thresholds: [
        {
          max_connections: 10,
          max_pending_requests: 0,
          max_requests: 20,
          retry_budget: { budget_percent: { value: 25 }, min_retry_concurrency: 3 },
        },
      ],
    },
    outlier_detection: {
      consecutive_5xx: 7,
      enforcing_consecutive_5xx: 100,
      consecutive_gateway_failure: 7,
      enforcing_consecutive_gateway_failure: 100,
      enforcing_success_rate: 0,
      interval: "10s",
      base_ejection_time: "30s",
      max_ejection_percent: 50,
    },
  });
  expect(cluster()).not.toHaveProperty("outlier_detection");
});

test("outlier detection in report mode > counts and ejects nobody", () => {
  expect(cluster(traffic("web", SERVICE, "outlierDetection: {}\nmode: Report"))).toMatchObject({
    outlier_detection: { enforcing_consecutive_5xx: 0, enforcing_consecutive_gateway_failure: 0 },
  });
});

test.each([
  [
    '{ group: "", kind: Service, name: gone }',
    "retryBudget: {}",
    "there is no Service portico/gone",
  ],
  [SERVICE, "timeouts: { request: 1s }", "timeouts: belongs on a route's or Gateway's policy"],
  [WHOLE, "retryBudget: {}", "retryBudget: belongs on a Service's policy"],
  [WHOLE, "mode: Report", "mode: Report is for outlierDetection"],
  ["{ kind: Service, name: web }", "retryBudget: {}", 'group: is ""'],
])("a policy for %s with %s > says what is wrong", (target, spec, message) => {
  expect(given(...base, traffic("bad", target, spec)).refusals).toEqual([
    expect.stringContaining(message),
  ]);
});

test("a second policy for one target > is refused and changes nothing", () => {
  const yaml = [traffic("a", RULE, "maxRequestBytes: 1"), traffic("b", RULE, "maxRequestBytes: 2")];
  expect(given(...base, ...yaml).refusals).toEqual([
    "TrafficPolicy portico/b: Conflicted: TrafficPolicy a has HTTPRoute portico/web#b already",
  ]);
});

import { expect, test } from "vitest";
import { accessOf, CLOSED_GATEWAY, given, service, TOKENS } from "./given.ts";

/** Emissary's Mappings in; the same routes out as from an HTTPRoute. */

const mapping = (name: string, spec: string) => `
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: { name: ${name} }
spec:
${spec.replace(/^/gm, "  ")}
`;
const base = [CLOSED_GATEWAY, TOKENS, service("web"), service("next")];
const ORDERS = "hostname: '*'\nprefix: /orders/\nservice: web";
const only = (spec: string) => given(...base, mapping("orders", spec)).routes()[0];

test("a Mapping > takes its prefix away on the way to its service, and needs a token like all else", () => {
  const route = only(ORDERS);
  expect(route).toMatchObject({
    name: "portico/orders/0",
    match: { path_separated_prefix: "/orders" },
    route: { cluster: "portico_web_80" },
  });
  expect(JSON.stringify(route?.route)).toMatch(/rewrite/);
  expect(route && accessOf(route)).toBe("token");
});

test("rewrite > of nothing keeps the path", () => {
  expect(JSON.stringify(only(`${ORDERS}\nrewrite: ""`)?.route)).not.toMatch(/rewrite/);
});

test("bypass_auth > opens the route", () => {
  const route = only(`${ORDERS}\nbypass_auth: true`);
  expect(route && accessOf(route)).toBe("open");
});

test("timeouts, retries and circuit breakers > are carried out", () => {
  const outcome = given(
    ...base,
    mapping(
      "orders",
      `${ORDERS}
timeout_ms: 4000
idle_timeout_ms: 9000
retry_policy: { retry_on: 5xx, num_retries: 2, per_try_timeout: 1s }
circuit_breakers: [{ max_connections: 7 }]`,
    ),
  );
  expect(outcome.routes()[0]?.route).toMatchObject({
    timeout: "4s",
    idle_timeout: "9s",
    retry_policy: { num_retries: 2, per_try_timeout: "1s" },
  });
  expect(outcome.config.clusters.get("portico_web_80")).toMatchObject({
    circuit_breakers: { thresholds: [{ max_connections: 7 }] },
  });
});

test("weights > share the requests of Mappings that are alike", () => {
  const yaml = [
    mapping("orders", ORDERS),
    mapping("canary", `${ORDERS.replace("web", "next")}\nweight: 10`),
  ];
  const outcome = given(...base, ...yaml);
  expect(outcome.routes()).toHaveLength(1);
  expect(outcome.routes()[0]?.route).toMatchObject({
    weighted_clusters: {
      clusters: [
        { name: "portico_next_80", weight: 10 },
        { name: "portico_web_80", weight: 90 },
      ],
    },
  });
  expect(outcome.refusals).toEqual([]);
});

test("method, headers and precedence > decide as Emissary has them", () => {
  const yaml = [
    mapping("orders", ORDERS),
    mapping(
      "first",
      "prefix: /\nservice: next\nprecedence: 1\nmethod: GET|HEAD\nmethod_regex: true\nheaders: { x-a: b }",
    ),
  ];
  const routes = given(...base, ...yaml).routes();
  expect(routes.map(({ name }) => name)).toEqual([
    "portico/first/0",
    "portico/first/0",
    "portico/orders/0",
  ]);
  expect(JSON.stringify(routes[0]?.match)).toContain('"exact":"GET"');
  expect(JSON.stringify(routes[1]?.match)).toContain('"exact":"HEAD"');
});

test("host_redirect > redirects to the host that is named as the service", () => {
  expect(only("prefix: /old/\nservice: new.example\nhost_redirect: true")).toMatchObject({
    redirect: { host_redirect: "new.example", response_code: "MOVED_PERMANENTLY" },
  });
});

test.each([
  ["labels: {}", "has labels, which this gateway does not support"],
  ["prefix_regex: true\nprefix: '/('", "is not an RE2 regular expression"],
  ["method_regex: true\nmethod: '('", "method: is not an RE2 regular expression"],
  ["service: https://web", "takes a BackendTLSPolicy"],
  ["service: web.other", "no ReferenceGrant in other lets Mapping"],
])("a Mapping with %s > says what is wrong, and disturbs no other", (spec, message) => {
  const keys = spec.split("\n").map((line) => line.split(":")[0]);
  const rest = ORDERS.split("\n").filter((line) => !keys.includes(line.split(":")[0]));
  const outcome = given(
    ...base,
    mapping("bad", [...rest, spec].join("\n").replace("/orders/", "/bad/")),
    mapping("orders", ORDERS),
  );
  expect(outcome.refusals).toEqual([expect.stringContaining(message)]);
  expect(outcome.routes().map(({ name }) => name)).toContain("portico/orders/0");
});

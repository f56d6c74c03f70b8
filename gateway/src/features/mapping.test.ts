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
circuit_breakers: [{ max_connections: 7, max_retries: 2 }, { priority: high, max_connections: 1 }]`,
    ),
  );
  expect(outcome.routes()[0]?.route).toMatchObject({
    timeout: "4s",
    idle_timeout: "9s",
    retry_policy: { num_retries: 2, per_try_timeout: "1s" },
  });
  expect(outcome.config.clusters.get("portico_web_80")).toMatchObject({
    circuit_breakers: { thresholds: [{ max_connections: 7, max_retries: 2 }] },
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
        { name: "portico_next_80", weight: 1000 },
        { name: "portico_web_80", weight: 9000 },
      ],
    },
  });
  expect(outcome.refusals).toEqual([]);
});

const shares = (...weights: (number | undefined)[]) => {
  const mappings = weights.map((weight, index) =>
    mapping(
      `m${index}`,
      `${ORDERS.replace("web", `s${index}`)}${weight === undefined ? "" : `\nweight: ${weight}`}`,
    ),
  );
  const outcome = given(...base, ...weights.map((_, index) => service(`s${index}`)), ...mappings);
  const [found] = outcome.routes() as readonly {
    route?: { weighted_clusters?: { clusters: { weight: number }[] } };
  }[];
  return {
    weights: found?.route?.weighted_clusters?.clusters.map(({ weight }) => weight),
    refusals: outcome.refusals,
  };
};

test.each([
  ["who says none has the rest", [10, undefined], [1000, 9000]],
  [
    "the rest is shared evenly, to the hundredth",
    [undefined, 1, undefined, undefined],
    [3300, 100, 3300, 3300],
  ],
  ["fewer than 100 are in proportion", [20, 20], [2000, 2000]],
] as const)("weights > %s: %j", (_what, given, expected) => {
  expect(shares(...given)).toEqual({ weights: expected, refusals: [] });
});

test("weights > one alone has everything, and one that goes beyond 100 is left out alone", () => {
  expect(shares(30)).toEqual({ weights: undefined, refusals: [] });
  expect(shares(100, undefined)).toEqual({ weights: undefined, refusals: [] });
  expect(shares(60, 50, 40)).toEqual({
    weights: [6000, 4000],
    refusals: [
      expect.stringMatching(/Mapping portico\/m1: Invalid: spec.weight: .* more than 100/),
    ],
  });
});

test("shadow > is sent a copy of its share, and there is one for the same requests", () => {
  const outcome = given(
    ...base,
    mapping("orders", ORDERS),
    mapping("copy", `${ORDERS.replace("web", "next")}\nshadow: true\nweight: 25`),
    mapping("second", `${ORDERS.replace("web", "next")}\nshadow: true`),
    mapping("alone", "prefix: /alone/\nservice: web\nshadow: true"),
  );
  expect(outcome.routes()).toHaveLength(1);
  expect(outcome.routes()[0]?.route).toMatchObject({
    cluster: "portico_web_80",
    request_mirror_policies: [
      { cluster: "portico_next_80", runtime_fraction: { default_value: { numerator: 250000 } } },
    ],
  });
  expect([...outcome.refusals].sort()).toEqual([
    expect.stringMatching(/portico\/alone: Invalid: there is no Mapping for it to copy/),
    expect.stringMatching(/portico\/second: Invalid: Mapping portico\/copy has the shadow/),
  ]);
});

test("what conditions a header may meet > that it is there, what it is, what it looks like; of queries the same", () => {
  const match = only(
    `${ORDERS}
headers: { x-a: b, x-b: true }
regex_headers: { x-c: "a.*" }
query_parameters: { q: "1", r: true }
regex_query_parameters: { s: "[0-9]+" }`,
  )?.match as { headers: { name: string }[]; query_parameters: object[] };
  expect(match.headers.filter(({ name }) => name.startsWith("x-"))).toEqual([
    { name: "x-a", string_match: { exact: "b" } },
    { name: "x-b", string_match: { safe_regex: { regex: ".*" } } },
    { name: "x-c", string_match: { safe_regex: { regex: "a.*" } } },
  ]);
  expect(match.query_parameters).toEqual([
    { name: "q", string_match: { exact: "1" } },
    { name: "r", string_match: { safe_regex: { regex: ".*" } } },
    { name: "s", string_match: { safe_regex: { regex: "[0-9]+" } } },
  ]);
});

test.each([
  ["timeout_ms: 0", { timeout: "0s" }],
  ["timeout_ms: 600000", { timeout: "600s" }],
  ["idle_timeout_ms: 0", { idle_timeout: "0s" }],
  [
    "retry_policy: { retry_on: 5xx, per_try_timeout: 2.5s }",
    { retry_policy: { num_retries: 1, per_try_timeout: "2.5s" } },
  ],
  [
    'retry_policy: { retry_on: gateway-error, retry_back_off: { base_interval: "0.025s" } }',
    { retry_policy: { retry_back_off: { base_interval: "0.025s" } } },
  ],
])("%s > is what it is with Emissary", (spec, route) => {
  expect(only(`${ORDERS}\n${spec}`)?.route).toMatchObject(route);
});

test("prefix_exact > is that path and none below it", () => {
  expect(only("prefix: /orders\nservice: web\nprefix_exact: true")?.match).toMatchObject({
    path: "/orders",
  });
});

test("host > is what hostname was called, and hostname counts", () => {
  const outcome = given(...base, mapping("orders", "host: old.example\nprefix: /\nservice: web"));
  expect(outcome.hostnames()).toContain("old.example");
  const both = given(
    ...base,
    mapping("orders", "host: old.example\nhostname: new.example\nprefix: /\nservice: web"),
  );
  expect(both.hostnames()).toEqual(["*", "new.example"]);
});

test("headers to add and remove > are added, set and removed", () => {
  const found = only(
    `${ORDERS}
add_request_headers: { x-a: b, x-c: { value: d, append: false } }
remove_request_headers: [x-e]
add_response_headers: { x-f: g }
remove_response_headers: [x-h]`,
  );
  const text = JSON.stringify(found);
  for (const part of [
    '{"header":{"key":"x-a","value":"b"},"append_action":"APPEND_IF_EXISTS_OR_ADD"}',
    '{"header":{"key":"x-c","value":"d"},"append_action":"OVERWRITE_IF_EXISTS_OR_ADD"}',
    '"request_headers_to_remove":["x-e"]',
    '"response_headers_to_remove":["x-h"]',
    '{"header":{"key":"x-f","value":"g"}',
  ]) {
    expect(text).toContain(part);
  }
});

test("how connections are kept > is told to be Envoy's own, and the Mapping is served", () => {
  const outcome = given(
    ...base,
    mapping(
      "orders",
      `${ORDERS}\nconnect_timeout_ms: 500\nenable_ipv6: true\ngrpc: false\nv2BoolHeaders: [x-a]`,
    ),
  );
  expect(outcome.refusals).toEqual([]);
  expect(outcome.routes()).toHaveLength(1);
  const verdict = outcome.verdicts.find(({ object }) => object.kind === "Mapping");
  expect(verdict?.conditions[0]?.message).toBe(
    "is served; not carried out: connect_timeout_ms, enable_ipv6",
  );
});

test("the default Gateway > is one of ours, however old another controller's is", () => {
  const foreign = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: a, creationTimestamp: 2020-01-01T00:00:00Z, annotations: { gateway.portico.dev/default: "true" } }
spec: { gatewayClassName: theirs, listeners: [{ name: http, port: 1, protocol: HTTP }] }`;
  expect(given(foreign, ...base, mapping("orders", ORDERS)).routes()).toHaveLength(1);
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
  ["tls: upstream", "has tls, which this gateway does not support"],
  ["regex_rewrite: { pattern: a, substitution: b }", "has regex_rewrite, which"],
  ["error_response_overrides: []", "has error_response_overrides, which"],
  ["case_sensitive: false", "spec.case_sensitive: is not carried out"],
  ["host_regex: true", "spec.host_regex: is not carried out"],
  ["path_redirect: /x", "spec.path_redirect: redirects only with host_redirect: true"],
  ["retry_policy: { per_try_timeout: soon }", "is not a duration such as 2.5s"],
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

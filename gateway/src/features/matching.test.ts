import { expect, test } from "vitest";
import { GATEWAY, given, route, service, TOKENS } from "./given.ts";

const base = [GATEWAY, TOKENS, service("posts", 8102)];
const backendRefs = "backendRefs: [{ name: posts, port: 80 }]";

test("matching > writes a route exactly so", () => {
  const { routes, refusals } = given(
    ...base,
    route(
      "posts",
      `
rules:
  - name: read
    matches: [{ path: { type: PathPrefix, value: /posts }, method: GET, headers: [{ name: X-Beta, value: "1" }] }]
    ${backendRefs}`,
    ),
  );
  expect(refusals).toEqual([]);
  expect(routes()).toEqual([
    {
      name: "portico/posts/read",
      match: {
        path_separated_prefix: "/posts",
        headers: [
          { name: ":method", string_match: { exact: "GET" } },
          { name: "x-beta", string_match: { exact: "1" } },
        ],
      },
      route: { cluster: "portico_posts_80" },
      typed_per_filter_config: {
        "envoy.filters.http.jwt_authn": {
          "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig",
          requirement_name: "token",
        },
      },
    },
  ]);
});

test.each([
  ["{ type: Exact, value: /posts }", { path: "/posts" }],
  ["{ type: PathPrefix, value: /posts }", { path_separated_prefix: "/posts" }],
  ["{ type: PathPrefix, value: /posts/ }", { path_separated_prefix: "/posts" }],
  ["{ type: PathPrefix, value: / }", { prefix: "/" }],
  ["{ value: /posts }", { path_separated_prefix: "/posts" }],
])("matching > path %s becomes %j", (path, match) => {
  const { routes } = given(
    ...base,
    route("posts", `rules: [{ matches: [{ path: ${path} }], ${backendRefs} }]`),
  );
  expect(routes()[0]?.match).toEqual(match);
});

test("matching > a rule without matches takes every path", () => {
  const { routes } = given(...base, route("all", `rules: [{ ${backendRefs} }]`));
  expect(routes().map(({ match }) => match)).toEqual([{ prefix: "/" }]);
});

test("matching > the order of the standard: exact, longest prefix, method, headers, name, as written", () => {
  const one = `
rules:
  - name: root
    matches: [{ path: { value: / } }]
    ${backendRefs}
  - name: short
    matches: [{ path: { value: /a } }]
    ${backendRefs}
  - name: method
    matches: [{ path: { value: /a/b }, method: GET }]
    ${backendRefs}
  - name: headers
    matches: [{ path: { value: /a/b }, method: GET, headers: [{ name: x, value: y }] }]
    ${backendRefs}
  - name: long
    matches: [{ path: { value: /a/b } }]
    ${backendRefs}
  - name: exact
    matches: [{ path: { type: Exact, value: /a } }]
    ${backendRefs}
  - name: again
    matches: [{ path: { value: /a } }]
    ${backendRefs}`;
  const { routes } = given(
    ...base,
    route("zebra", `rules: [{ name: twin, matches: [{ path: { value: /a } }], ${backendRefs} }]`),
    route("apple", one),
  );
  expect(routes().map(({ name }) => name)).toEqual([
    "portico/apple/exact",
    "portico/apple/headers",
    "portico/apple/method",
    "portico/apple/long",
    "portico/apple/short",
    "portico/apple/again",
    "portico/zebra/twin",
    "portico/apple/root",
  ]);
});

test.each([
  ["{ type: RegularExpression, value: '/(?=a)' }", "path.value"],
  ["{ type: RegularExpression, value: '/((a{1000}){1000})' }", "path.value"],
  ["{ type: Glob, value: /a }", "path.type"],
  ["{ value: posts }", "path.value"],
  ["{ value: /a//b }", "path.value"],
  ["{ value: /a/../b }", "path.value"],
  ["{ value: /a%2Fb }", "path.value"],
  ['{ value: "/a?b" }', "path.value"],
])("matching > path %s is refused with the field's name", (path, field) => {
  const { refusals, routes } = given(
    ...base,
    route("bad", `rules: [{ matches: [{ path: ${path} }], ${backendRefs} }]`),
    route("good", `rules: [{ matches: [{ path: { value: /good } }], ${backendRefs} }]`),
  );
  expect(refusals).toHaveLength(1);
  expect(refusals[0]).toContain(`spec.rules[0].matches[0].${field}`);
  expect(routes().map(({ name }) => name)).toEqual(["portico/good/0"]);
});

test("matching > expressions, query parameters and every other part of a match are Envoy's", () => {
  const { routes, refusals } = given(
    ...base,
    route(
      "r",
      `
rules:
  - matches:
      - path: { type: RegularExpression, value: "/v[0-9]+/.*" }
        headers: [{ type: RegularExpression, name: Version, value: "[0-9]+" }]
        queryParams: [{ name: animal, value: whale }, { type: RegularExpression, name: Age, value: "[0-9]+" }]
    ${backendRefs}`,
    ),
  );
  expect(refusals).toEqual([]);
  expect(routes()[0]?.match).toEqual({
    safe_regex: { regex: "/v[0-9]+/.*" },
    headers: [{ name: "version", string_match: { safe_regex: { regex: "[0-9]+" } } }],
    query_parameters: [
      { name: "animal", string_match: { exact: "whale" } },
      { name: "Age", string_match: { safe_regex: { regex: "[0-9]+" } } },
    ],
  });
});

test("matching > more query parameters come before fewer, after the number of headers", () => {
  const rules = [
    "name: plain, matches: [{}]",
    "name: one, matches: [{ queryParams: [{ name: a, value: x }] }]",
    "name: two, matches: [{ queryParams: [{ name: a, value: x }, { name: b, value: x }] }]",
    "name: header, matches: [{ headers: [{ name: a, value: x }] }]",
    "name: regex, matches: [{ path: { type: RegularExpression, value: /.* } }]",
  ].map((rule) => `{ ${rule}, ${backendRefs} }`);
  const { routes } = given(...base, route("r", `rules: [${rules.join(", ")}]`));
  expect(routes().map(({ name }) => name.split("/")[2])).toEqual([
    "regex",
    "header",
    "two",
    "one",
    "plain",
  ]);
});

test("matching > a field that nobody knows is refused by name rather than ignored", () => {
  const { refusals, verdicts } = given(
    ...base,
    route("odd", `rules: [{ matches: [{ cookies: [] }], ${backendRefs} }]`),
  );
  expect(refusals).toEqual([
    expect.stringContaining("spec.rules[0].matches[0]: has cookies, which this gateway does not"),
  ]);
  expect(verdicts.find(({ object }) => object.name === "odd")).toMatchObject({
    parent: { kind: "Gateway", name: "portico" },
    conditions: [{ type: "Accepted", status: "False", reason: "UnsupportedValue" }],
  });
});

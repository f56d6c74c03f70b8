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
  ["{ type: RegularExpression, value: /a.* }", "path.type"],
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

test("matching > what is not supported is refused by name rather than ignored", () => {
  const { refusals } = given(
    ...base,
    route("filtered", `rules: [{ filters: [{ type: RequestRedirect }], ${backendRefs} }]`),
    route("queried", `rules: [{ matches: [{ queryParams: [] }], ${backendRefs} }]`),
  );
  expect(refusals).toEqual([
    expect.stringContaining("spec.rules[0]: has filters, which this gateway does not support"),
    expect.stringContaining("spec.rules[0].matches[0]: has queryParams"),
  ]);
});

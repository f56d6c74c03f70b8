import { expect, test } from "vitest";
import { GATEWAY, given, route, service } from "./given.ts";

const base = [GATEWAY, service("posts"), service("copies")];
const POSTS = "{ name: posts, port: 80 }";
/** The first route of a rule for /posts with these filters. */
const filtered = (filters: string, more = `backendRefs: [${POSTS}]`) =>
  given(
    ...base,
    route(
      "r",
      `rules: [{ matches: [{ path: { value: /posts } }], filters: [${filters}], ${more} }]`,
    ),
  );
const headers = (what: string, changes: string) =>
  `{ type: ${what}HeaderModifier, ${what.toLowerCase()}HeaderModifier: ${changes} }`;
const CHANGES =
  '{ set: [{ name: X-Set, value: "5%" }], add: [{ name: X-Add, value: a }], remove: [X-Gone] }';

test.each([
  ["Request", "request"],
  ["Response", "response"],
])("filters > %sHeaderModifier sets, adds and removes", (type, what) => {
  const [first] = filtered(headers(type, CHANGES)).routes();
  expect(first).toMatchObject({
    [`${what}_headers_to_add`]: [
      { header: { key: "X-Set", value: "5%%" }, append_action: "OVERWRITE_IF_EXISTS_OR_ADD" },
      { header: { key: "X-Add", value: "a" }, append_action: "APPEND_IF_EXISTS_OR_ADD" },
    ],
    [`${what}_headers_to_remove`]: ["X-Gone"],
  });
});

test("filters > a backendRef's headers come after its rule's, for its share only", () => {
  const own = headers("Request", "{ set: [{ name: x-set, value: own }], remove: [X-Add] }");
  const [first] = filtered(
    headers("Request", CHANGES),
    `backendRefs: [{ name: posts, port: 80, filters: [${own}] }, { name: copies, port: 80 }]`,
  ).routes();
  expect(first).not.toHaveProperty("request_headers_to_add");
  expect(first?.route).toMatchObject({
    weighted_clusters: {
      clusters: [
        {
          name: "portico_posts_80",
          request_headers_to_add: [{ header: { key: "x-set", value: "own" } }],
          request_headers_to_remove: ["X-Gone", "X-Add"],
        },
        {
          name: "portico_copies_80",
          request_headers_to_add: [
            { header: { key: "X-Set", value: "5%%" } },
            { header: { key: "X-Add", value: "a" } },
          ],
        },
      ],
    },
  });
});

const redirect = (fields: string, listener = "{ name: http, port: 80, protocol: HTTP }") =>
  given(
    GATEWAY.replace("{ name: http, port: 8080, protocol: HTTP }", listener),
    route(
      "r",
      `rules: [{ matches: [{ path: { value: /posts } }], filters: [{ type: RequestRedirect, requestRedirect: ${fields} }] }]`,
    ),
  ).routes()[0] as unknown as { redirect: object };

test.each([
  ["{ hostname: a.example }", { host_redirect: "a.example", response_code: "FOUND" }],
  ["{ scheme: https }", { scheme_redirect: "https", response_code: "FOUND" }],
  ["{ scheme: https, port: 443 }", { scheme_redirect: "https", response_code: "FOUND" }],
  ["{ port: 8443, statusCode: 307 }", { port_redirect: 8443, response_code: "TEMPORARY_REDIRECT" }],
  ["{ statusCode: 301 }", { response_code: "MOVED_PERMANENTLY" }],
  ["{ statusCode: 303 }", { response_code: "SEE_OTHER" }],
  ["{ statusCode: 308 }", { response_code: "PERMANENT_REDIRECT" }],
  [
    "{ path: { type: ReplaceFullPath, replaceFullPath: /all } }",
    { path_redirect: "/all", response_code: "FOUND" },
  ],
  [
    "{ path: { type: ReplacePrefixMatch, replacePrefixMatch: /new/ } }",
    { prefix_rewrite: "/new", response_code: "FOUND" },
  ],
])("filters > RequestRedirect %s becomes %j", (fields, expected) => {
  expect(redirect(fields).redirect).toEqual(expected);
});

test("filters > a redirect keeps the listener's own port, which its scheme does not imply", () => {
  const listener = "{ name: http, port: 8080, protocol: HTTP }";
  expect(redirect("{ hostname: a.example }", listener).redirect).toMatchObject({
    port_redirect: 8080,
  });
  expect(redirect("{ hostname: a.example, port: 80 }", listener).redirect).not.toHaveProperty(
    "port_redirect",
  );
  expect(redirect("{ scheme: https }", listener).redirect).toMatchObject({ port_redirect: 443 });
});

const rewrite = (fields: string) => `{ type: URLRewrite, urlRewrite: ${fields} }`;

test.each([
  ["{ hostname: a.example }", { host_rewrite_literal: "a.example" }],
  [
    "{ path: { type: ReplaceFullPath, replaceFullPath: /all } }",
    { regex_rewrite: { pattern: { regex: "^/.*$" }, substitution: "/all" } },
  ],
  ["{ path: { type: ReplacePrefixMatch, replacePrefixMatch: /new } }", { prefix_rewrite: "/new" }],
  [
    "{ path: { type: ReplacePrefixMatch, replacePrefixMatch: / } }",
    { regex_rewrite: { pattern: { regex: "^/posts/*" }, substitution: "/" } },
  ],
])("filters > URLRewrite %s becomes %j", (fields, expected) => {
  expect(filtered(rewrite(fields)).routes()[0]?.route).toEqual({
    cluster: "portico_posts_80",
    ...expected,
  });
});

test("filters > each mirror gets its share of copies, and one that leads nowhere only a condition", () => {
  const mirror = (name: string, share = "") =>
    `{ type: RequestMirror, requestMirror: { backendRef: { name: ${name}, port: 80 }${share} } }`;
  const { routes, refusals } = filtered(
    [
      mirror("copies"),
      mirror("copies", ", percent: 20"),
      mirror("copies", ", fraction: { numerator: 1, denominator: 3 }"),
      mirror("gone"),
    ].join(", "),
  );
  const share = (numerator: number) => ({
    cluster: "portico_copies_80",
    runtime_fraction: { default_value: { numerator, denominator: "MILLION" } },
    disable_shadow_host_suffix_append: true,
  });
  expect(routes()[0]?.route).toEqual({
    cluster: "portico_posts_80",
    request_mirror_policies: [share(1_000_000), share(200_000), share(333_333)],
  });
  expect(refusals).toEqual([expect.stringContaining("BackendNotFound")]);
});

test("filters > CORS is a policy of its route", () => {
  const { routes } = filtered(
    "{ type: CORS, cors: { allowOrigins: ['https://*.a.example:8443', '*'], allowMethods: [GET], allowHeaders: [x-a, x-b], exposeHeaders: [x-c], allowCredentials: true, maxAge: 60 } }",
  );
  expect(routes()[0]?.typed_per_filter_config).toMatchObject({
    "envoy.filters.http.cors": {
      allow_origin_string_match: [
        { safe_regex: { regex: "https\\://[^/]*\\.a\\.example\\:8443" } },
        { safe_regex: { regex: ".*" } },
      ],
      allow_methods: "GET",
      allow_headers: "x-a, x-b",
      expose_headers: "x-c",
      allow_credentials: true,
      max_age: "60",
      forward_not_matching_preflights: false,
    },
  });
});

test.each([
  ["{ type: ExtensionRef, extensionRef: { group: a, kind: B, name: c } }", "ExtensionRef"],
  ["{ type: ExternalAuth, externalAuth: {} }", "ExternalAuth"],
  [
    `${rewrite("{ hostname: a.example }")}, { type: RequestRedirect, requestRedirect: {} }`,
    "exclude",
  ],
  [`${headers("Request", CHANGES)}, ${headers("Request", CHANGES)}`, "twice"],
  ["{ type: RequestRedirect, requestRedirect: {} }", "leaves no request for backendRefs"],
])("filters > a rule with %s is answered with 500, and says why", (filters, message) => {
  const { routes, refusals } = filtered(filters);
  expect(routes()[0]).toMatchObject({ direct_response: { status: 500 } });
  expect(refusals).toEqual([
    expect.stringMatching(new RegExp(`UnsupportedValue: rules\\[0\\]: .*${message}`)),
  ]);
});

test("filters > a rule that is not carried out leaves the others of its route served", () => {
  const { routes, verdicts } = given(
    ...base,
    route(
      "r",
      `
rules:
  - { name: good, matches: [{ path: { value: /good } }], backendRefs: [${POSTS}] }
  - { name: bad, sessionPersistence: { type: Cookie }, backendRefs: [${POSTS}] }`,
    ),
  );
  expect(routes()).toMatchObject([
    { name: "portico/r/good", route: { cluster: "portico_posts_80" } },
    { name: "portico/r/bad", direct_response: { status: 500 } },
  ]);
  expect(verdicts.find(({ object }) => object.kind === "HTTPRoute")?.conditions).toMatchObject([
    { type: "Accepted", status: "True" },
    { type: "ResolvedRefs", status: "True" },
    { type: "PartiallyInvalid", status: "True", reason: "UnsupportedValue" },
  ]);
});

test.each([
  [headers("Request", "{ set: [{ name: Host, value: a }] }"), "set[0].name: cannot be changed"],
  [headers("Request", "{ set: [{ name: 'a b', value: a }] }"), "set[0].name: is not a header name"],
  [headers("Response", '{ add: [{ name: a, value: "x\\ny" }] }'), "add[0].value: has a control"],
  [rewrite("{ hostname: '*.example' }"), "urlRewrite.hostname: is a wildcard"],
  ["{ type: CORS, cors: { allowOrigins: [a.example] } }", "allowOrigins[0]: is not an origin"],
])("filters > %s is refused with the field's name", (filter, message) => {
  expect(filtered(filter).refusals).toEqual([expect.stringContaining(message)]);
});

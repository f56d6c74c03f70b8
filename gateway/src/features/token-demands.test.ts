import { expect, test } from "vitest";
import {
  accessOf,
  GATEWAY,
  given,
  policy,
  type RouteView,
  route,
  service,
  TOKENS,
} from "./given.ts";

/** Scopes and claims that a route asks for, and report mode: policies in, filters out. */

const ROUTE = route(
  "posts",
  `
rules:
  - name: write
    matches: [{ path: { value: /posts }, method: POST }]
    backendRefs: [{ name: posts, port: 80 }]
  - name: read
    matches: [{ path: { value: /posts } }]
    backendRefs: [{ name: posts, port: 80 }]`,
);
const on = (name: string, spec: string, sectionName?: string) =>
  policy(
    name,
    `targetRefs: [{ kind: HTTPRoute, name: posts${sectionName ? `, sectionName: ${sectionName}` : ""} }]\n${spec}`,
  );
const NEEDS_SCOPE = "requirement: Required\nscopes: [posts:write]";

type Rbac = { rbac: { rules?: { policies: object }; shadow_rules?: { policies: object } } };
const rbacOf = ({ typed_per_filter_config }: RouteView) =>
  (typed_per_filter_config as Record<string, unknown>)["envoy.filters.http.rbac.token"] as
    | Rbac
    | undefined;
const outcome = (...yaml: string[]) => given(GATEWAY, service("posts"), ROUTE, ...yaml);
/** `rule access`, what is enforced, what is reported. */
const said = (...yaml: string[]) =>
  outcome(...yaml)
    .routes()
    .filter(({ name }) => !name.endsWith("other-spelling"))
    .map((one) => [
      `${one.name.split("/")[2]} ${accessOf(one)}`,
      Object.keys(rbacOf(one)?.rbac.rules?.policies ?? {}),
      Object.keys(rbacOf(one)?.rbac.shadow_rules?.policies ?? {}),
    ]);

test("scopes and claims > are compared by value in the claims of a verified token, exactly so", () => {
  const claims = `claims: [{ name: realm.roles, values: [editor, 7, true] }]`;
  const [first] = outcome(TOKENS, on("writers", `${NEEDS_SCOPE}\n${claims}`, "write")).routes();
  const at = (...path: string[]) => ({
    filter: "envoy.filters.http.jwt_authn",
    path: ["claims", ...path].map((key) => ({ key })),
  });
  const either = (value: object) => [value, { list_match: { one_of: value } }];
  const unless = (metadata: object) => ({
    permissions: [{ any: true }],
    principals: [{ not_id: { and_ids: { ids: [{ metadata }] } } }],
  });
  expect(first && rbacOf(first)).toEqual({
    "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBACPerRoute",
    rbac: {
      rules: {
        action: "DENY",
        policies: {
          "portico/writers:scopes": unless({
            ...at("scope"),
            value: { list_match: { one_of: { string_match: { exact: "posts:write" } } } },
          }),
          "portico/writers:claims": unless({
            ...at("realm", "roles"),
            value: {
              or_match: {
                value_matchers: [
                  ...either({ string_match: { exact: "editor" } }),
                  ...either({ double_match: { exact: 7 } }),
                  ...either({ bool_match: true }),
                ],
              },
            },
          }),
        },
      },
      shadow_rules_stat_prefix: "reported_",
      track_per_rule_stats: true,
    },
  });
  expect(first).toMatchObject({
    metadata: { filter_metadata: { "dev.portico.gateway": { scopes: "posts:write" } } },
  });
});

test("scopes > of a rule's own policy count instead of its route's, and nothing is asked of the others", () => {
  expect(said(TOKENS, on("writers", NEEDS_SCOPE, "write"))).toEqual([
    ["write token", ["portico/writers:scopes"], []],
    ["read token", [], []],
  ]);
  const everywhere = on("all", "requirement: Required\nscopes: [posts]");
  expect(said(TOKENS, everywhere, on("writers", NEEDS_SCOPE, "write"))).toEqual([
    ["write token", ["portico/writers:scopes"], []],
    ["read token", ["portico/all:scopes"], []],
  ]);
});

test("scopes > of two policies for one rule are all asked for", () => {
  const second = on("b", "requirement: Required\nscopes: [two]", "write");
  expect(said(TOKENS, on("a", NEEDS_SCOPE, "write"), second)[0]).toEqual([
    "write token",
    ["portico/a:scopes", "portico/b:scopes"],
    [],
  ]);
});

test("scopes > of a route stay when a policy for one of its rules is not valid", () => {
  const yaml = [
    TOKENS,
    on("all", NEEDS_SCOPE),
    on("bad", "requirement: Required\nscopes: ['a b']", "write"),
  ];
  expect(said(...yaml)[0]).toEqual(["write token", ["portico/all:scopes"], []]);
});

test("report mode > of a rule opens nothing, and is a shadow of what it would be", () => {
  const report = on("trial", `${NEEDS_SCOPE}\nmode: Report`, "write");
  expect(said(TOKENS, report)).toEqual([
    ["write token", [], ["portico/trial:token", "portico/trial:scopes"]],
    ["read token", [], []],
  ]);
  expect(said(report)[0]).toEqual([
    "write open",
    [],
    ["portico/trial:token", "portico/trial:scopes"],
  ]);
});

test("report mode > of a Gateway's policy looks at tokens, and lets all pass that passed before", () => {
  const report = TOKENS.replace("spec:\n", "spec:\n  mode: Report\n");
  expect(said(report)).toEqual([
    ["write optional", [], ["portico/access-tokens:token"]],
    ["read optional", [], ["portico/access-tokens:token"]],
  ]);
  expect(outcome(report).routes()[0]?.typed_per_filter_config).toMatchObject({
    "envoy.filters.http.jwt_authn": { requirement_name: "optional" },
  });
  expect(said(report, on("writers", NEEDS_SCOPE, "write"))[0]).toEqual([
    "write token",
    ["portico/writers:scopes"],
    [],
  ]);
});

test("several issuers > a token of any one passes, and each has its own keys, audiences and headers", () => {
  const more = TOKENS.replace(
    "  jwks:",
    `  claimsToHeaders: [{ claim: sub, header: x-user-id }]
  providers:
    - { issuer: https://partner.example, audiences: [a], jwks: { backendRef: { name: auth, port: 80 }, path: /partner } }
  jwks:`,
  );
  const chains = JSON.stringify(outcome(more).listener());
  expect(chains).toContain(
    '"requires_any":{"requirements":[{"provider_name":"gateway"},{"provider_name":"gateway-2"}]}',
  );
  expect(chains).toContain('"claim_to_headers":[{"claim_name":"sub","header_name":"x-user-id"}]');
  expect(chains).toContain('"issuer":"https://partner.example"');
});

test.each([
  ["scopes: ['a b']\nrequirement: Required", "spec.scopes[0]: is not a scope"],
  ["claims: [{ name: a, values: [] }]\nrequirement: Required", "spec.claims[0].values"],
  ["scopes: [a]\nrequirement: None", "scopes: need a token, and requirement is None"],
  ["requirement: None\nmode: Report", "mode: Report has nothing to count"],
  [
    "requirement: Required\nclaimsToHeaders: []",
    "claimsToHeaders: belongs on the Gateway's policy",
  ],
])("a policy with %s > says what is wrong", (spec, message) => {
  expect(outcome(TOKENS, on("bad", spec)).refusals).toEqual([expect.stringContaining(message)]);
});

test.each([
  [
    "  claimsToHeaders: [{ claim: sub, header: x-name }]\n",
    "must begin with x-user-, x-jwt- or x-auth-",
  ],
  ["  scopes: [a]\n", "scopes: belongs on an HTTPRoute's policy"],
  [
    "  providers: [{ issuer: https://portico.example/auth, audiences: [a], jwks: { backendRef: { name: auth, port: 80 }, path: /x } }]\n",
    "providers: have the same issuer twice",
  ],
])("a Gateway's policy with %s > says what is wrong", (more, message) => {
  const bad = TOKENS.replace("  jwks:", `${more}  jwks:`);
  expect(outcome(bad).refusals).toEqual([expect.stringContaining(message)]);
});

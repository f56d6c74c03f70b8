import { expect, test } from "vitest";
import { GATEWAY, given, service } from "./given.ts";

const grpc = (name: string, rules: string) => `
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: { name: ${name} }
spec:
  parentRefs: [{ name: portico }]
  rules: [${rules}]
`;
const base = [GATEWAY, service("calls")];
const TO = "backendRefs: [{ name: calls, port: 80 }]";
const matching = (match: string) =>
  given(...base, grpc("r", `{ matches: [${match}], ${TO} }`)).routes()[0];

test.each([
  ["{ method: { service: a.B, method: C } }", { path: "/a.B/C" }],
  ["{ method: { service: a.B } }", { path_separated_prefix: "/a.B" }],
  ["{ method: { method: C } }", { safe_regex: { regex: "/[^/]+/C" } }],
  [
    "{ method: { type: RegularExpression, service: 'a[.]B', method: 'C|D' } }",
    { safe_regex: { regex: "/(?:a[.]B)/(?:C|D)" } },
  ],
  [
    "{ headers: [{ name: Version, value: two }] }",
    { prefix: "/", headers: [{ name: "version", string_match: { exact: "two" } }] },
  ],
])("grpc > a match %s becomes %j, for gRPC only", (match, expected) => {
  expect(matching(match)?.match).toEqual({ ...expected, grpc: {} });
});

test("grpc > calls are streams over HTTP/2: nothing holds them back or cuts them off", () => {
  const { routes, config, verdicts } = given(...base, grpc("r", `{ name: all, ${TO} }`));
  expect(routes()[0]).toMatchObject({
    name: "portico/r/all",
    route: { cluster: "portico_calls_80_grpc", timeout: "0s" },
    typed_per_filter_config: { "envoy.filters.http.buffer": { disabled: true } },
  });
  expect(config.clusters.get("portico_calls_80_grpc")).toMatchObject({
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
  });
  expect(verdicts.find(({ object }) => object.kind === "GRPCRoute")?.conditions).toMatchObject([
    { type: "Accepted", status: "True" },
    { type: "ResolvedRefs", status: "True" },
  ]);
});

test("grpc > the longer service comes first, then the longer method, then more headers", () => {
  const rules = [
    "name: any, matches: [{}]",
    "name: header, matches: [{ headers: [{ name: a, value: b }] }]",
    "name: method, matches: [{ method: { method: LongMethod } }]",
    "name: service, matches: [{ method: { service: a.Service } }]",
    "name: both, matches: [{ method: { service: a.Service, method: M } }]",
  ].map((rule) => `{ ${rule}, ${TO} }`);
  const { routes } = given(...base, grpc("r", rules.join(", ")));
  expect(routes().map(({ name }) => name.split("/")[2])).toEqual([
    "both",
    "service",
    "method",
    "header",
    "any",
  ]);
});

test("grpc > a JWTPolicy for an HTTPRoute of the same name opens nothing", () => {
  const closed = GATEWAY.replace(
    "{ name: portico }\nspec:\n  gatewayClassName",
    "{ name: portico, annotations: { gateway.portico.dev/access: deny } }\nspec:\n  gatewayClassName",
  );
  const policy = `
apiVersion: gateway.portico.dev/v1alpha1
kind: JWTPolicy
metadata: { name: open }
spec: { targetRefs: [{ kind: HTTPRoute, name: r }], requirement: None }
`;
  const { routes } = given(closed, service("calls"), grpc("r", `{ ${TO} }`), policy);
  expect(routes()[0]).toMatchObject({ direct_response: { status: 401 } });
});

test("grpc > what is no name of gRPC, and what is not carried out, is told", () => {
  const bad = (match: string) =>
    given(...base, grpc("r", `{ matches: [${match}], ${TO} }`)).refusals;
  expect(bad("{ method: { service: a/b } }")).toEqual([
    expect.stringContaining("method.service: is not a name of gRPC"),
  ]);
  expect(bad("{ method: {} }")).toEqual([expect.stringContaining("neither a service nor")]);
  expect(
    given(...base, grpc("r", `{ filters: [{ type: ExtensionRef, extensionRef: {} }], ${TO} }`))
      .refusals,
  ).toEqual([expect.stringContaining("filter ExtensionRef is not supported")]);
});

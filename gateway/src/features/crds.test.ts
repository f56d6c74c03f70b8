import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { CRDS, manifestOf } from "../crds/crds.ts";
import { JWTPolicy } from "../snapshot/jwt-policy.ts";
import { RateLimitPolicy } from "../snapshot/rate-limit-policy.ts";
import { TrafficPolicy } from "../snapshot/traffic-policy.ts";

/** The API server and the controller agree on what an object of ours looks like. */

type Schema = { properties?: Record<string, Schema>; items?: Schema; [keyword: string]: unknown };
interface Manifest {
  readonly spec: {
    readonly versions: readonly [
      {
        readonly subresources: object;
        readonly additionalPrinterColumns: readonly { name: string }[];
        readonly schema: { openAPIV3Schema: { properties: { spec: Schema } } };
      },
    ];
    readonly names: { readonly shortNames: readonly string[] };
  };
}

const folder = new URL("../../../helm/portico/crds/", import.meta.url);
const shipped = async (plural: string) =>
  parse(await readFile(new URL(`${plural}.yaml`, folder), "utf8")) as Manifest;

/** With field validation Strict, which is kubectl's default, unknown fields are refused. */
function strict(schema: Schema): Schema {
  const { properties, items, ...rest } = schema;
  return {
    ...rest,
    ...(properties && {
      additionalProperties: false,
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, one]) => [name, strict(one)]),
      ),
    }),
    ...(items && { items: strict(items) }),
  };
}

const takes = async (plural: string, spec: unknown) => {
  const schema = (await shipped(plural)).spec.versions[0].schema.openAPIV3Schema.properties.spec;
  return z.fromJSONSchema(strict(schema) as never).safeParse(spec).success;
};
const metadata = { name: "a", namespace: "b" };
const route = { kind: "HTTPRoute", name: "web" };
const gateway = { kind: "Gateway", name: "web" };
const service = { group: "", kind: "Service", name: "web" };
const jwks = { backendRef: { name: "auth", port: 80 }, path: "/jwks" };
const issued = { issuer: "https://a.example", audiences: ["a"], jwks };
const limit = { by: { type: "ClientAddress" }, requests: 10, per: "Minute" };

const SCHEMAS = {
  jwtpolicies: JWTPolicy,
  ratelimitpolicies: RateLimitPolicy,
  trafficpolicies: TrafficPolicy,
};

/** `good`; `bad` by the schema alone; or the rule in CEL that refuses it. */
test.each<[keyof typeof SCHEMAS, string, object]>([
  ["jwtpolicies", "good", { targetRefs: [route], requirement: "None" }],
  [
    "jwtpolicies",
    "good",
    {
      targetRefs: [{ ...route, sectionName: "r" }],
      requirement: "Required",
      scopes: ["a:b"],
      mode: "Report",
    },
  ],
  [
    "jwtpolicies",
    "good",
    {
      targetRefs: [route],
      requirement: "Required",
      claims: [{ name: "a.b", values: ["x", 1, true] }],
    },
  ],
  [
    "jwtpolicies",
    "good",
    { targetRefs: [gateway], ...issued, claimsToHeaders: [{ claim: "sub", header: "x-user-id" }] },
  ],
  [
    "jwtpolicies",
    "good",
    { targetRefs: [gateway], ...issued, providers: [{ ...issued, issuer: "https://b.example" }] },
  ],
  ["jwtpolicies", "bad", { requirement: "None" }],
  ["jwtpolicies", "bad", { targetRefs: [], requirement: "None" }],
  ["jwtpolicies", "bad", { targetRefs: [route], requirement: "none" }],
  ["jwtpolicies", "bad", { targetRefs: [route], requirement: "None", more: 1 }],
  ["jwtpolicies", "bad", { targetRefs: [route], requirement: "Required", scopes: ["a b"] }],
  [
    "jwtpolicies",
    "bad",
    { targetRefs: [gateway], ...issued, claimsToHeaders: [{ claim: "sub", header: "x-real-ip" }] },
  ],
  [
    "jwtpolicies",
    "bad",
    { targetRefs: [gateway], ...issued, jwks: { ...jwks, backendRef: { name: "auth" } } },
  ],
  ["jwtpolicies", "one policy for each", { targetRefs: [route, gateway], requirement: "None" }],
  [
    "jwtpolicies",
    "only a whole Gateway",
    { targetRefs: [{ ...gateway, sectionName: "l" }], ...issued },
  ],
  ["jwtpolicies", "issuer is needed", { targetRefs: [gateway], audiences: ["a"], jwks }],
  ["jwtpolicies", "issuer belongs", { targetRefs: [route], requirement: "None", issuer: "a" }],
  ["jwtpolicies", "scopes belongs", { targetRefs: [gateway], ...issued, scopes: ["a"] }],
  ["jwtpolicies", "requirement is needed", { targetRefs: [route] }],
  [
    "jwtpolicies",
    "scopes need a token",
    { targetRefs: [route], requirement: "None", scopes: ["a"] },
  ],
  ["jwtpolicies", "nothing to count", { targetRefs: [route], requirement: "None", mode: "Report" }],
  ["jwtpolicies", "same issuer twice", { targetRefs: [gateway], ...issued, providers: [issued] }],
  ["ratelimitpolicies", "good", { targetRefs: [gateway], limits: [limit] }],
  [
    "ratelimitpolicies",
    "good",
    {
      targetRefs: [route],
      limits: [{ ...limit, by: { type: "Claim", name: "sub" }, burst: 3 }],
    },
  ],
  ["ratelimitpolicies", "bad", { targetRefs: [route], limits: [] }],
  ["ratelimitpolicies", "bad", { targetRefs: [route], limits: [{ ...limit, per: "Day" }] }],
  ["ratelimitpolicies", "bad", { targetRefs: [route], limits: [{ ...limit, requests: 0 }] }],
  ["ratelimitpolicies", "bad", { targetRefs: [route], limits: [{ ...limit, requests: 1.5 }] }],
  [
    "ratelimitpolicies",
    "name is needed",
    { targetRefs: [route], limits: [{ ...limit, by: { type: "Header" } }] },
  ],
  [
    "ratelimitpolicies",
    "name is needed",
    { targetRefs: [route], limits: [{ ...limit, by: { type: "Everyone", name: "a" } }] },
  ],
  [
    "trafficpolicies",
    "good",
    { targetRefs: [route], timeouts: { request: "5s", idle: "1m" }, compression: {} },
  ],
  [
    "trafficpolicies",
    "good",
    {
      targetRefs: [service],
      circuitBreaker: { maxConnections: 5 },
      retryBudget: {},
      outlierDetection: {},
      mode: "Report",
    },
  ],
  ["trafficpolicies", "bad", { targetRefs: [route], timeouts: { request: "5" } }],
  ["trafficpolicies", "bad", { targetRefs: [service], circuitBreaker: { maxConnections: 0 } }],
  [
    "trafficpolicies",
    "sectionName names a rule",
    { targetRefs: [{ ...service, sectionName: "a" }], retryBudget: {} },
  ],
  [
    "trafficpolicies",
    "group is",
    { targetRefs: [{ kind: "Service", name: "a" }], retryBudget: {} },
  ],
  ["trafficpolicies", "one policy for each", { targetRefs: [service, route] }],
  ["trafficpolicies", "timeouts belongs", { targetRefs: [service], timeouts: { idle: "1s" } }],
  ["trafficpolicies", "retryBudget belongs", { targetRefs: [gateway], retryBudget: {} }],
  [
    "trafficpolicies",
    "refuses nothing",
    { targetRefs: [service], retryBudget: {}, mode: "Report" },
  ],
])("%s > %s is decided alike by both: %j", async (plural, verdict, spec) => {
  expect(SCHEMAS[plural].safeParse({ metadata, spec }).success).toBe(verdict === "good");
  expect(await takes(plural, spec)).toBe(verdict !== "bad");
  const rules = JSON.stringify((await shipped(plural)).spec);
  if (verdict !== "good" && verdict !== "bad") {
    expect(rules).toContain(verdict);
  }
});

test.each(CRDS.map((crd) => [crd.plural, crd] as const))(
  "%s > is shipped as it is written here, with a status and columns for people",
  async (plural, crd) => {
    const manifest = await shipped(plural);
    expect(manifest).toEqual(JSON.parse(JSON.stringify(manifestOf(crd))));
    const [version] = manifest.spec.versions;
    expect(version.subresources).toEqual({ status: {} });
    expect(version.additionalPrinterColumns.map(({ name }) => name)).toContain("Accepted");
    expect(manifest.spec.names.shortNames).toHaveLength(1);
  },
);

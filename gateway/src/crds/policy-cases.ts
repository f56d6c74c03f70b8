/** Policies that both the API server and the controller have to decide alike. */

const route = { kind: "HTTPRoute", name: "web" };
const gateway = { kind: "Gateway", name: "web" };
const service = { group: "", kind: "Service", name: "web" };
const jwks = { backendRef: { name: "auth", port: 80 }, path: "/jwks" };
const issued = { issuer: "https://a.example", audiences: ["a"], jwks };
const limit = { by: { type: "ClientAddress" }, requests: 10, per: "Minute" };

/** Which CRD; `good`; `bad` by the schema alone, or what the rule in CEL says that refuses it; the spec. */
export type PolicyCase = readonly [plural: Plural, verdict: string, spec: object];

export type Plural = "jwtpolicies" | "ratelimitpolicies" | "trafficpolicies";

export const POLICY_CASES: readonly PolicyCase[] = [
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
];

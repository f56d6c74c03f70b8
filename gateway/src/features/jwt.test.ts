import { expect, test } from "vitest";
import {
  accessOf,
  CLOSED_GATEWAY,
  GATEWAY,
  given,
  policy,
  route,
  service,
  TOKENS,
  virtualHosts,
} from "./given.ts";

const ROUTE = route(
  "posts",
  `
rules:
  - name: public
    matches: [{ path: { type: Exact, value: /posts/openapi.json } }]
    backendRefs: [{ name: posts, port: 80 }]
  - name: protected
    matches: [{ path: { value: /posts } }]
    backendRefs: [{ name: posts, port: 80 }]`,
);
const base = [GATEWAY, service("posts", 8102), ROUTE];
const closed = [CLOSED_GATEWAY, service("posts", 8102), ROUTE];
const on = (name: string, requirement: string, sectionName?: string) =>
  policy(
    name,
    `targetRefs: [{ kind: HTTPRoute, name: posts${sectionName ? `, sectionName: ${sectionName}` : ""} }]\nrequirement: ${requirement}`,
  );

const access = (...yaml: string[]) => {
  const { routes } = given(...yaml);
  return Object.fromEntries(routes().map((one) => [one.name.split("/")[2], accessOf(one)]));
};
const unmatched = (...yaml: string[]) => {
  const [resource] = given(...yaml).config.routes.values();
  return (
    resource &&
    virtualHosts(resource).flatMap(({ routes }) =>
      routes.filter(({ name }) => name === "unmatched"),
    )
  );
};
const jwtFilter = (...yaml: string[]) => {
  const filterChains = given(...yaml).listener().filter_chains as unknown as [
    { filters: [{ typed_config: { http_filters: { name: string; typed_config: object }[] } }] },
  ];
  return filterChains[0].filters[0].typed_config.http_filters.find(
    ({ name }) => name === "envoy.filters.http.jwt_authn",
  );
};

test("jwt > every rule needs a token unless a policy opens it", () => {
  expect(access(...base, TOKENS)).toEqual({ public: "token", protected: "token" });
  expect(access(...base, TOKENS, on("open", "None", "public"))).toEqual({
    public: "open",
    protected: "token",
  });
});

test("jwt > a rule's own policy counts before its route's", () => {
  const policies = [on("all", "None"), on("rule", "Required", "protected")];
  expect(access(...base, TOKENS, ...policies)).toEqual({ public: "open", protected: "token" });
});

test("jwt > a Gateway without a policy is open, and a route that requires a token is refused", () => {
  expect(access(...base)).toEqual({ public: "open", protected: "open" });
  expect(access(...base, on("tokens", "Required", "protected"))).toEqual({
    public: "open",
    protected: "refused",
  });
});

test("jwt > a Gateway that asks to be closed refuses everything that no rule opens", () => {
  expect(access(...closed)).toEqual({ public: "refused", protected: "refused" });
  expect(access(...closed, on("open", "None", "public"))).toEqual({
    public: "open",
    protected: "refused",
  });
  expect(access(...closed, TOKENS)).toEqual({ public: "token", protected: "token" });
});

test("jwt > a misspelt wish to be closed closes, allow opens", () => {
  const wishing = (wish: string) => [CLOSED_GATEWAY.replace("deny", wish), ...closed.slice(1)];
  expect(access(...wishing("Deny"))).toEqual({ public: "refused", protected: "refused" });
  expect(access(...wishing("allow"))).toEqual({ public: "open", protected: "open" });
});

test("jwt > an unknown path is 404 to whoever may pass, and 401 to everybody where nobody may", () => {
  const requires = { provider_name: "gateway" };
  const anyPath = { match: { prefix: "/" } };
  expect(unmatched(...base, TOKENS)).toEqual([]);
  expect(jwtFilter(...base, TOKENS)).toMatchObject({
    typed_config: { rules: [{ ...anyPath, requires }] },
  });
  expect(unmatched(...closed)).toMatchObject([{ ...anyPath, direct_response: { status: 401 } }]);
  expect(unmatched(...base)).toEqual([]);
  expect(jwtFilter(...base)).not.toHaveProperty("typed_config.rules");
});

const PROVIDER = {
  issuer: "https://portico.example/auth",
  audiences: ["https://portico.example"],
  require_expiration: true,
  clock_skew_seconds: 5,
  forward: true,
  from_headers: [
    { name: "Authorization", value_prefix: "Bearer " },
    { name: "Authorization", value_prefix: "DPoP " },
  ],
  jwt_cache_config: { jwt_cache_size: 1000 },
  remote_jwks: {
    http_uri: {
      uri: "http://auth.portico.svc:80/auth/jwks",
      cluster: "portico_auth_80",
      timeout: "2s",
    },
    cache_duration: "60s",
    async_fetch: { fast_listener: true, failed_refetch_duration: "1s" },
  },
};

test("jwt > the filter is configured exactly so, and hands claims on only where they are looked at", () => {
  expect(jwtFilter(...base, TOKENS)).toEqual({
    name: "envoy.filters.http.jwt_authn",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
      providers: {
        gateway: PROVIDER,
        "gateway-claims": {
          ...PROVIDER,
          payload_in_metadata: "claims",
          normalize_payload_in_metadata: { space_delimited_claims: ["scope"] },
        },
      },
      requirement_map: {
        token: { provider_name: "gateway" },
        claims: { provider_name: "gateway-claims" },
        optional: {
          requires_any: {
            requirements: [{ provider_name: "gateway-claims" }, { allow_missing_or_failed: {} }],
          },
        },
      },
      rules: [{ match: { prefix: "/" }, requires: { provider_name: "gateway" } }],
    },
  });
});

const inCookies = (names: string) =>
  TOKENS.replace("  jwks:", `  extractFrom: { cookies: ${names} }\n  jwks:`);

test("jwt > a token may come in the cookies that the policy names, beside the header", () => {
  expect(jwtFilter(...base, inCookies("[__Host-access, other]"))).toMatchObject({
    typed_config: {
      providers: {
        gateway: {
          from_headers: expect.anything(),
          from_cookies: ["__Host-access", "other"],
        },
      },
    },
  });
});

test.each([
  ["[]", "extractFrom.cookies"],
  ["['a=b']", "extractFrom.cookies[0]"],
  ["['a; b']", "extractFrom.cookies[0]"],
])("jwt > cookies %s are refused, and the policy counts for nothing", (names, field) => {
  expect(given(...base, inCookies(names)).refusals).toEqual([expect.stringContaining(field)]);
  expect(access(...base, inCookies(names))).toEqual({ public: "refused", protected: "refused" });
});

test("jwt > the filter is there without an issuer too, so that no version lets anybody slip through", () => {
  expect(jwtFilter(...base)).toMatchObject({ name: "envoy.filters.http.jwt_authn" });
});

test.each([
  ["its Service is missing", TOKENS.replace("name: auth, port: 80", "name: gone, port: 80")],
  ["its issuer is missing", TOKENS.replace(/ {2}issuer: .*\n/, "")],
  ["it is misspelt", TOKENS.replace("audiences:", "audience:")],
])("jwt > a Gateway's policy counts for nothing when %s: all is refused", (_why, broken) => {
  expect(access(...base, broken)).toEqual({ public: "refused", protected: "refused" });
  expect(given(...base, broken).refusals).toHaveLength(1);
});

test("jwt > of two policies for one rule the stricter counts, whichever is older", () => {
  const yaml = [...base, TOKENS, on("a", "None", "public"), on("b", "Required", "public")];
  expect(access(...yaml)).toEqual({ public: "token", protected: "token" });
  expect(given(...yaml).refusals).toEqual([
    "JWTPolicy portico/a: Conflicted: another JWTPolicy requires a token here; it counts",
  ]);
});

test("jwt > a policy that is not valid closes what it targets", () => {
  const yaml = [...base, TOKENS, on("all", "None"), on("rule", "Requird", "protected")];
  expect(access(...yaml)).toEqual({ public: "open", protected: "token" });
  expect(given(...yaml).refusals).toEqual([
    expect.stringContaining("JWTPolicy portico/rule: Invalid"),
  ]);
});

test.each([
  [
    "a route that is not there",
    "targetRefs: [{ kind: HTTPRoute, name: gone }]\nrequirement: None",
    "there is no HTTPRoute portico/gone",
  ],
  [
    "a rule that is not there",
    "targetRefs: [{ kind: HTTPRoute, name: posts, sectionName: x }]\nrequirement: None",
    "HTTPRoute portico/posts has no rule named x",
  ],
  [
    "a Gateway that is not there",
    `${TOKENS.slice(TOKENS.indexOf("targetRefs"), TOKENS.indexOf("---")).replace("name: portico", "name: gone").replace(/^ {2}/gm, "")}`,
    "there is no Gateway portico/gone",
  ],
  [
    "both kinds",
    "targetRefs: [{ kind: HTTPRoute, name: posts }, { kind: Gateway, name: portico }]\nrequirement: None",
    "write one policy for each",
  ],
  [
    "a route with an issuer",
    "targetRefs: [{ kind: HTTPRoute, name: posts }]\nissuer: x\nrequirement: None",
    "issuer: belongs on the Gateway's policy",
  ],
  [
    "a route with a cookie",
    "targetRefs: [{ kind: HTTPRoute, name: posts }]\nextractFrom: { cookies: [a] }\nrequirement: None",
    "extractFrom: belongs on the Gateway's policy",
  ],
  [
    "a Gateway with a requirement",
    "targetRefs: [{ kind: Gateway, name: portico }]\nrequirement: None",
    "requirement: belongs on an HTTPRoute's policy",
  ],
])("jwt > a policy for %s says what is wrong", (_what, spec, message) => {
  const { refusals } = given(...base, TOKENS, policy("bad", spec));
  // Once for each target.
  expect([...new Set(refusals)]).toEqual([expect.stringContaining(message)]);
});

test("jwt > a second policy for a Gateway is refused and changes nothing", () => {
  const second = TOKENS.slice(0, TOKENS.indexOf("---"))
    .replace("name: access-tokens", "name: second")
    .replace("issuer: https://portico", "issuer: https://other");
  expect(given(...base, TOKENS, second).refusals).toEqual([
    "JWTPolicy portico/second: Conflicted: JWTPolicy access-tokens has Gateway portico/portico already",
  ]);
  expect(jwtFilter(...base, TOKENS, second)).toEqual(jwtFilter(...base, TOKENS));
});

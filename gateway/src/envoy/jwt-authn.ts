import type { Access, Route, TokenIssuer, TokenProvider } from "../model/model.ts";
import { extension, type Json, typed } from "./envoy-config.ts";

/**
 * Verification of access tokens (RFC 9068, RFC 6750). Each route says itself what it requires, so
 * the path is matched once and by one matcher. The filter is there even without an issuer: a route
 * that asks for a token is then refused, never let through.
 *
 * Which algorithms are accepted is up to the issuer's JWKS: a key there has one (`alg`: ES256), and
 * a token whose header names another is refused. The header's `typ` is checked by the services.
 */

export const FILTER = "envoy.filters.http.jwt_authn";
const TYPES = "envoy.extensions.filters.http.jwt_authn.v3";
const PROVIDER = "gateway";
const REQUIREMENT = "token";
/** A token whose claims the filters after this one look at: handing them on costs as much as the rest. */
const WITH_CLAIMS = "claims";
/** Verified where there is one, and let through where there is none: for what is only reported. */
const OPTIONAL = "optional";
const SCHEMES = ["Bearer", "DPoP"];

/** Where the filter leaves the claims of a good token, for the filters after it. */
export const CLAIMS = "claims";

/** `unmatched`: what is asked of a request that has no route, and so no say of its own. */
export function jwtAuthn(tokenIssuer: TokenIssuer | undefined, unmatched: Access): Json {
  const config = tokenIssuer && verification(tokenIssuer, unmatched);
  return extension(FILTER, `${TYPES}.JwtAuthentication`, config);
}

function verification({ providers }: TokenIssuer, unmatched: Access): Fields {
  const named = providers.map((provider, index): [string, TokenProvider] => [
    index === 0 ? PROVIDER : `${PROVIDER}-${index + 1}`,
    provider,
  ]);
  const plain = named.map(([name]) => ({ provider_name: name }));
  const reading = named.map(([name]) => ({ provider_name: withClaims(name) }));
  return {
    providers: Object.fromEntries(
      named.flatMap(([name, provider]) => [
        [name, providerOf(provider)],
        [withClaims(name), { ...providerOf(provider), ...claimsAsMetadata() }],
      ]),
    ),
    requirement_map: {
      [REQUIREMENT]: anyOf(plain),
      [WITH_CLAIMS]: anyOf(reading),
      [OPTIONAL]: anyOf([...reading, { allow_missing_or_failed: {} }]),
    },
    ...(unmatched === "token" && { rules: [{ match: { prefix: "/" }, requires: anyOf(plain) }] }),
  };
}

type Fields = { readonly [field: string]: Json };

function withClaims(provider: string): string {
  return `${provider}-${CLAIMS}`;
}

function anyOf(requirements: readonly Fields[]): Json {
  const [first = {}, ...others] = requirements;
  return others.length === 0 ? first : { requires_any: { requirements } };
}

function claimsAsMetadata(): Fields {
  return {
    payload_in_metadata: CLAIMS,
    // As a list, so that one scope is not found in the name of another.
    normalize_payload_in_metadata: { space_delimited_claims: ["scope"] },
  };
}

function providerOf({ issuer, audiences, jwks, cookies, claimsToHeaders }: TokenProvider): Fields {
  return {
    issuer,
    audiences,
    require_expiration: true,
    clock_skew_seconds: 5,
    forward: true,
    // RFC 6750 and RFC 9449. The proof of a token that is bound to a key is the services' to check.
    from_headers: SCHEMES.map((scheme) => ({ name: "Authorization", value_prefix: `${scheme} ` })),
    // Whether a page of our own sent it along is the services' to check.
    ...(cookies.length > 0 && { from_cookies: cookies }),
    ...(claimsToHeaders.length > 0 && {
      claim_to_headers: claimsToHeaders.map(({ claim, header }) => ({
        claim_name: claim,
        header_name: header,
      })),
    }),
    // A caller sends the same token again and again; its expiry is looked at each time.
    jwt_cache_config: { jwt_cache_size: 1000 },
    remote_jwks: {
      http_uri: { uri: jwks.url, cluster: jwks.backend, timeout: "2s" },
      cache_duration: "60s",
      // The key set outlives an outage of the issuer, and Envoy starts before it does.
      async_fetch: { fast_listener: true, failed_refetch_duration: "1s" },
    },
  };
}

interface Asking {
  readonly access: Access;
  readonly demands?: Route["demands"];
  readonly rateLimits?: Route["rateLimits"];
}

/** What is said to the filter: by a route, unless that is what its server says for all of them. */
export function accessOnRoute(route: Asking, usual?: Access): Fields {
  const requirement = requirementOf(route);
  if (usual !== undefined && requirement === requirementOf({ access: usual })) {
    return {};
  }
  const says = requirement === NOTHING ? { disabled: true } : { requirement_name: requirement };
  return { [FILTER]: typed(`${TYPES}.PerRouteConfig`, says) };
}

const NOTHING = "nothing";

/** `refused` never gets so far: the route itself answers 401. */
function requirementOf({ access, demands = [], rateLimits = [] }: Asking): string {
  if (access === "open" || access === "optional") {
    return access === "open" ? NOTHING : OPTIONAL;
  }
  const readsClaims = demands.length > 0 || rateLimits.some(({ by }) => by.type === "Claim");
  return readsClaims ? WITH_CLAIMS : REQUIREMENT;
}

import type { Access, TokenIssuer, TokenProvider } from "../model/model.ts";
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
/** Verified where there is one, and let through where there is none: for what is only reported. */
const OPTIONAL = "optional";
const SCHEMES = ["Bearer", "DPoP"];

/** Where the filter leaves the claims of a good token, for the filters after it. */
export const CLAIMS = "claims";

export function jwtAuthn(tokenIssuer: TokenIssuer | undefined): Json {
  return extension(FILTER, `${TYPES}.JwtAuthentication`, tokenIssuer && verification(tokenIssuer));
}

function verification({ providers }: TokenIssuer): { readonly [field: string]: Json } {
  const named = providers.map((provider, index): [string, TokenProvider] => [
    index === 0 ? PROVIDER : `${PROVIDER}-${index + 1}`,
    provider,
  ]);
  const each = named.map(([name]) => ({ provider_name: name }));
  const [first = {}, ...others] = each;
  const requires = others.length === 0 ? first : { requires_any: { requirements: each } };
  const optional = {
    requires_any: { requirements: [...each, { allow_missing_or_failed: {} }] },
  };
  return {
    providers: Object.fromEntries(named.map(([name, one]) => [name, providerOf(one)])),
    requirement_map: { [REQUIREMENT]: requires, [OPTIONAL]: optional },
    // For what has no route and so no say of its own.
    rules: [{ match: { prefix: "/" }, requires }],
  };
}

function providerOf({ issuer, audiences, jwks, cookies, claimsToHeaders }: TokenProvider): Json {
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
    payload_in_metadata: CLAIMS,
    // As a list, so that one scope is not found in the name of another.
    normalize_payload_in_metadata: { space_delimited_claims: ["scope"] },
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

/** What a route says to the filter. `refused` never reaches it: the route itself answers 401. */
export function accessOnRoute(access: Access): { readonly [filter: string]: Json } {
  return { [FILTER]: typed(`${TYPES}.PerRouteConfig`, REQUIREMENTS[access]) };
}

const REQUIREMENTS: Readonly<Record<Access, { readonly [field: string]: Json }>> = {
  open: { disabled: true },
  optional: { requirement_name: OPTIONAL },
  token: { requirement_name: REQUIREMENT },
  refused: { requirement_name: REQUIREMENT },
};

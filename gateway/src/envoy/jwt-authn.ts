import type { Access, TokenIssuer } from "../model/model.ts";
import { extension, type Json, typed } from "./envoy-config.ts";

/**
 * Verification of access tokens (RFC 9068, RFC 6750). Each route says itself what it requires, so
 * the path is matched once and by one matcher. The filter is there even without an issuer: a route
 * that asks for a token is then refused, never let through.
 *
 * Which algorithms are accepted is up to the issuer's JWKS: a key there has one (`alg`: ES256), and
 * a token whose header names another is refused. The header's `typ` is checked by the services.
 */

const FILTER = "envoy.filters.http.jwt_authn";
const TYPES = "envoy.extensions.filters.http.jwt_authn.v3";
const PROVIDER = "gateway";
const REQUIREMENT = "token";
const SCHEMES = ["Bearer", "DPoP"];

export function jwtAuthn(tokenIssuer: TokenIssuer | undefined): Json {
  return extension(FILTER, `${TYPES}.JwtAuthentication`, tokenIssuer && verification(tokenIssuer));
}

function verification(tokenIssuer: TokenIssuer): { readonly [field: string]: Json } {
  const requires = { provider_name: PROVIDER };
  return {
    providers: { [PROVIDER]: provider(tokenIssuer) },
    requirement_map: { [REQUIREMENT]: requires },
    // For what has no route and so no say of its own.
    rules: [{ match: { prefix: "/" }, requires }],
  };
}

function provider({ issuer, audiences, jwks, cookies }: TokenIssuer): Json {
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
  const says = access === "open" ? { disabled: true } : { requirement_name: REQUIREMENT };
  return { [FILTER]: typed(`${TYPES}.PerRouteConfig`, says) };
}

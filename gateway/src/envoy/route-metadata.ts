import type { Route } from "../model/model.ts";
import type { Json } from "./envoy-config.ts";
import { retryAfterOf } from "./rate-limit.ts";

/** What a route tells `local-replies.ts`, whose answers are written once for all routes. */
const NAMESPACE = "dev.portico.gateway";

/** The scopes that a 403 names (RFC 6750, section 3); the seconds that a 429 asks to wait. */
export function metadataOf({ demands, rateLimits }: Route): { readonly [field: string]: Json } {
  const scopes = demands.filter(({ isReported }) => !isReported).flatMap((demand) => demand.scopes);
  const retryAfter = retryAfterOf(rateLimits);
  if (scopes.length === 0 && retryAfter === undefined) {
    return {};
  }
  const says = {
    ...(scopes.length > 0 && { scopes: [...new Set(scopes)].join(" ") }),
    ...(retryAfter !== undefined && { retryAfter }),
  };
  return { metadata: { filter_metadata: { [NAMESPACE]: says } } };
}

export function routeSays(what: "scopes" | "retryAfter"): string {
  return `%METADATA(ROUTE:${NAMESPACE}:${what})%`;
}

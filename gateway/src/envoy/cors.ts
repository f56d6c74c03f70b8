import type { Cors } from "../model/model.ts";
import { extension, type Json, typed } from "./envoy-config.ts";
import { escapeRegex } from "./path-change.ts";

/**
 * CORS (the Fetch standard, section 3.2): a browser's preflight is answered here, before a token is
 * asked for, since a browser sends none with it. Nothing happens on a route that says nothing.
 */

const FILTER = "envoy.filters.http.cors";
const TYPES = "envoy.extensions.filters.http.cors.v3";

export function cors(): Json {
  return extension(FILTER, `${TYPES}.Cors`);
}

export function corsOnRoute(policy: Cors | undefined): { readonly [filter: string]: Json } {
  if (!policy) {
    return {};
  }
  const { origins, methods, headers, exposedHeaders, allowsCredentials, maxAgeSeconds } = policy;
  return {
    [FILTER]: typed(`${TYPES}.CorsPolicy`, {
      allow_origin_string_match: origins.map((origin) => ({
        safe_regex: { regex: originPattern(origin) },
      })),
      ...(methods.length > 0 && { allow_methods: methods.join(", ") }),
      ...(headers.length > 0 && { allow_headers: headers.join(", ") }),
      ...(exposedHeaders.length > 0 && { expose_headers: exposedHeaders.join(", ") }),
      allow_credentials: allowsCredentials,
      max_age: String(maxAgeSeconds),
      forward_not_matching_preflights: false,
    }),
  };
}

/** A `*` stands for labels of a host, for a port, or for everything. */
function originPattern(origin: string): string {
  return origin === "*" ? ".*" : origin.split("*").map(escapeRegex).join("[^/]*");
}

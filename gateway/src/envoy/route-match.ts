import type { Route } from "../model/model.ts";
import type { RouteMatch } from "../snapshot/http-route.ts";
import type { Json } from "./envoy-config.ts";

/** Which requests are a route's. */
export function matchOf({ match, isGrpc }: Route): { readonly [field: string]: Json } {
  const { method, headers, queryParams } = match;
  const headerMatches = [
    ...(method ? [{ name: ":method", string_match: { exact: method } }] : []),
    ...headers.map(({ name, ...value }) => ({ ...valueMatch(name.toLowerCase(), value) })),
  ];
  return {
    ...pathMatch(match.path),
    ...(headerMatches.length > 0 && { headers: headerMatches }),
    ...(queryParams.length > 0 && {
      query_parameters: queryParams.map(({ name, ...value }) => valueMatch(name, value)),
    }),
    ...(isGrpc && { grpc: {} }),
  };
}

function pathMatch({ type, value }: RouteMatch["path"]): { readonly [field: string]: Json } {
  if (type === "Exact") {
    return { path: value };
  }
  if (type === "RegularExpression") {
    return { safe_regex: { regex: value } };
  }
  // Segment by segment: /posts matches /posts and /posts/1, and never /postsx.
  const prefix = value.replace(/\/$/, "");
  return prefix === "" ? { prefix: "/" } : { path_separated_prefix: prefix };
}

function valueMatch(
  name: string,
  { type, value }: { type: "Exact" | "RegularExpression"; value: string },
) {
  const matcher = type === "Exact" ? { exact: value } : { safe_regex: { regex: value } };
  return { name, string_match: matcher };
}

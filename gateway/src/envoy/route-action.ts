import type { Destination, Mirror, Redirect, Route } from "../model/model.ts";
import type { Json } from "./envoy-config.ts";
import { headerMutations } from "./header-mutations.ts";
import { redirectedPath, rewrittenPath } from "./path-change.ts";
import { limitsOnRoute } from "./rate-limit.ts";
import { retryPolicy } from "./retries.ts";
import { isStreaming, upgrades } from "./streaming.ts";

type Fields = { readonly [field: string]: Json };

/** What becomes of a request that a route has: an answer, a redirect, or a backend's own answer. */
export function routeAction(route: Route): Fields {
  if (route.access === "refused") {
    return { direct_response: { status: 401 } };
  }
  if (route.isUnsupported) {
    return { direct_response: { status: 500 } };
  }
  if (route.redirect) {
    return { redirect: redirectOf(route.redirect, route) };
  }
  const target = targetOf(route.destinations.filter(({ weight }) => weight > 0));
  if (target === undefined) {
    return { direct_response: { status: 500 } };
  }
  const { hostname, path } = route.rewrite ?? {};
  return {
    route: {
      ...target,
      ...(hostname !== undefined && { host_rewrite_literal: hostname }),
      ...(path && rewrittenPath(path, route.match.path)),
      ...timeoutAndRetries(route),
      ...(route.mirrors && { request_mirror_policies: route.mirrors.map(mirrorOf) }),
      ...upgrades(route),
      ...limitsOnRoute(route),
    },
  };
}

/** A route's retry policy is instead of its backend's, not beside it. */
function timeoutAndRetries(route: Route): Fields {
  const { timeouts, traffic, retry } = route;
  const { requestMs, backendRequestMs, idleMs } = { ...traffic, ...timeouts };
  const timeoutMs = requestMs ?? (isStreaming(route) ? 0 : undefined);
  return {
    ...(timeoutMs !== undefined && { timeout: `${timeoutMs / 1000}s` }),
    ...(idleMs !== undefined && { idle_timeout: `${idleMs / 1000}s` }),
    ...((backendRequestMs !== undefined || retry) && {
      retry_policy: retryPolicy(retry, backendRequestMs),
    }),
  };
}

/** Named by no cluster: Envoy answers its share with `cluster_not_found_response_code`. */
const NOWHERE = "unresolved";

function targetOf(destinations: readonly Destination[]): Fields | undefined {
  if (destinations.every(({ backend }) => backend === undefined)) {
    return undefined;
  }
  const [only, ...others] = destinations;
  if (only?.backend !== undefined && others.length === 0 && !changesHeaders(only)) {
    return { cluster: only.backend };
  }
  return {
    cluster_not_found_response_code: "INTERNAL_SERVER_ERROR",
    weighted_clusters: {
      clusters: destinations.map(({ backend, weight, ...changes }) => ({
        name: backend ?? NOWHERE,
        weight,
        ...headerMutations(changes),
      })),
    },
  };
}

function changesHeaders({ requestHeaders, responseHeaders }: Destination): boolean {
  return requestHeaders !== undefined || responseHeaders !== undefined;
}

const A_MILLION = 1_000_000;

function mirrorOf({ backend, share }: Mirror): Json {
  return {
    cluster: backend,
    runtime_fraction: {
      default_value: { numerator: Math.round(share * A_MILLION), denominator: "MILLION" },
    },
    // The copy is to look like the request.
    disable_shadow_host_suffix_append: true,
  };
}

const RESPONSE_CODES = {
  301: "MOVED_PERMANENTLY",
  302: "FOUND",
  303: "SEE_OTHER",
  307: "TEMPORARY_REDIRECT",
  308: "PERMANENT_REDIRECT",
} as const;

function redirectOf({ scheme, hostname, port, path, status }: Redirect, { match }: Route): Json {
  return {
    ...(scheme && { scheme_redirect: scheme }),
    ...(hostname !== undefined && { host_redirect: hostname }),
    ...(port !== undefined && { port_redirect: port }),
    ...(path && redirectedPath(path, match.path)),
    response_code: RESPONSE_CODES[status],
  };
}

import type { Access, Destination, Host, Listener, Route } from "../model/model.ts";
import type { RouteMatch } from "../snapshot/gateway-api.ts";
import { type EnvoyResource, type Json, typed } from "./envoy-config.ts";
import { accessOnRoute } from "./jwt-authn.ts";
import { otherMethod } from "./methods.ts";
import { withSpellingGuards } from "./spelling-guards.ts";

/** RDS: the hosts and routes of one listener. Envoy takes the first route that matches. */
export function routeConfigurationOf(listener: Listener): EnvoyResource {
  return typed("envoy.config.route.v3.RouteConfiguration", {
    name: listener.name,
    // `localhost:8080` is the host `localhost`; the service still sees the port in Host.
    ignore_port_in_host_matching: true,
    virtual_hosts: listener.hosts.map(virtualHostOf),
  });
}

function virtualHostOf(host: Host): Json {
  return {
    name: host.hostname,
    domains: [host.hostname],
    retry_policy: retryPolicy(),
    routes: [
      otherMethods(host.unmatched),
      ...withSpellingGuards(host.routes, routeOf),
      unmatched(host.unmatched),
    ],
  };
}

function routeOf(route: Route) {
  return {
    name: route.name,
    match: { ...pathMatch(route.match.path), ...headerMatches(route.match) },
    ...answer(route),
    typed_per_filter_config: accessOnRoute(route.access),
  };
}

function otherMethods(access: Access): Json {
  return {
    name: "other-methods",
    match: { prefix: "/", headers: [otherMethod] },
    direct_response: { status: access === "refused" ? 401 : 405 },
    typed_per_filter_config: accessOnRoute(access),
  };
}

/** Whoever may pass learns that nothing is there; the others learn nothing. */
function unmatched(access: Access): Json {
  return {
    name: "unmatched",
    match: { prefix: "/" },
    direct_response: { status: access === "refused" ? 401 : 404 },
    typed_per_filter_config: accessOnRoute(access),
  };
}

function pathMatch({ type, value }: RouteMatch["path"]): { readonly [field: string]: Json } {
  if (type === "Exact") {
    return { path: value };
  }
  // Segment by segment: /posts matches /posts and /posts/1, and never /postsx.
  const prefix = value.replace(/\/$/, "");
  return prefix === "" ? { prefix: "/" } : { path_separated_prefix: prefix };
}

function headerMatches({ method, headers }: RouteMatch): { readonly [field: string]: Json } {
  const exact = (name: string, value: string) => ({ name, string_match: { exact: value } });
  const matches = [
    ...(method ? [exact(":method", method)] : []),
    ...headers.map(({ name, value }) => exact(name.toLowerCase(), value)),
  ];
  return matches.length > 0 ? { headers: matches } : {};
}

function answer({ access, destinations, timeouts }: Route): { readonly [field: string]: Json } {
  if (access === "refused") {
    return { direct_response: { status: 401 } };
  }
  const target = targetOf(destinations.filter(({ weight }) => weight > 0));
  if (target === undefined) {
    return { direct_response: { status: 500 } };
  }
  const { requestMs, backendRequestMs } = timeouts;
  return {
    route: {
      ...target,
      ...(requestMs !== undefined && { timeout: seconds(requestMs) }),
      // Instead of the host's, not beside it.
      ...(backendRequestMs !== undefined && { retry_policy: retryPolicy(backendRequestMs) }),
    },
  };
}

/** Named by no cluster: Envoy answers its share with `cluster_not_found_response_code`. */
const NOWHERE = "unresolved";

function targetOf(
  destinations: readonly Destination[],
): { readonly [field: string]: Json } | undefined {
  if (destinations.every(({ backend }) => backend === undefined)) {
    return undefined;
  }
  const [only, ...others] = destinations;
  if (only?.backend !== undefined && others.length === 0) {
    return { cluster: only.backend };
  }
  return {
    cluster_not_found_response_code: "INTERNAL_SERVER_ERROR",
    weighted_clusters: {
      clusters: destinations.map(({ backend, weight }) => ({ name: backend ?? NOWHERE, weight })),
    },
  };
}

/**
 * Only what may be asked twice is asked again, and only when no answer came: a service that is
 * killed and back costs a read nothing, and a write is never done twice.
 */
function retryPolicy(perTryMs?: number): Json {
  return {
    retry_on: "connect-failure,refused-stream,reset",
    num_retries: 3,
    ...(perTryMs !== undefined && { per_try_timeout: seconds(perTryMs) }),
    retry_back_off: { base_interval: "0.1s", max_interval: "1s" },
    retriable_request_headers: [
      { name: ":method", string_match: { safe_regex: { regex: "GET|HEAD|OPTIONS" } } },
    ],
  };
}

function seconds(milliseconds: number): string {
  return `${milliseconds / 1000}s`;
}

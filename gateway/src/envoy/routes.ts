import type { Access, Host, Route, Server } from "../model/model.ts";
import { compressionOnRoute } from "./compression.ts";
import { corsOnRoute } from "./cors.ts";
import { type EnvoyResource, type Json, typed } from "./envoy-config.ts";
import { headerMutations } from "./header-mutations.ts";
import { accessOnRoute } from "./jwt-authn.ts";
import { otherMethod } from "./methods.ts";
import {
  asleepUnlessCounted,
  bucketsOf,
  type EnvoyRoute,
  type Limits,
  limitsByStage,
} from "./rate-limit.ts";
import { retryPolicy } from "./retries.ts";
import { routeAction } from "./route-action.ts";
import { matchOf } from "./route-match.ts";
import { metadataOf } from "./route-metadata.ts";
import { sharedLimitsOnRoute } from "./shared-rate-limit.ts";
import { withSpellingGuards } from "./spelling-guards.ts";
import { bodyOnRoute } from "./streaming.ts";
import { demandsOnRoute } from "./token-demands.ts";

/** RDS: the hosts and routes of one server. Envoy takes the first route that matches. */
export function routeConfigurationOf(server: Server): EnvoyResource {
  const limits = limitsByStage(server.hosts);
  return typed("envoy.config.route.v3.RouteConfiguration", {
    name: server.name,
    // `localhost:8080` is the host `localhost`; the service still sees the port in Host.
    ignore_port_in_host_matching: true,
    ...bucketsOf(limits),
    virtual_hosts: server.hosts.map((host) => virtualHostOf(host, limits)),
  });
}

function virtualHostOf(host: Host, limits: Limits): Json {
  const routes = host.isMisdirected ? [misdirected()] : routesOf(host);
  return {
    name: host.hostname,
    domains: [host.hostname],
    retry_policy: retryPolicy(),
    routes: routes.map((route) => asleepUnlessCounted(limits, route)),
  };
}

function routesOf(host: Host): EnvoyRoute[] {
  return [
    otherMethods(host.unmatched),
    ...withSpellingGuards(host.routes, routeOf),
    unmatched(host.unmatched),
  ];
}

function routeOf(route: Route) {
  return {
    name: route.name,
    match: matchOf(route),
    ...routeAction(route),
    ...headerMutations(route),
    ...metadataOf(route),
    typed_per_filter_config: {
      ...accessOnRoute(route.access),
      ...demandsOnRoute(route.demands),
      ...corsOnRoute(route.cors),
      ...bodyOnRoute(route),
      ...compressionOnRoute(route.traffic),
      ...sharedLimitsOnRoute(route),
    },
  };
}

function otherMethods(access: Access): EnvoyRoute {
  return {
    name: "other-methods",
    match: { prefix: "/", headers: [otherMethod] },
    direct_response: { status: access === "refused" ? 401 : 405 },
    typed_per_filter_config: accessOnRoute(access),
  };
}

/** Whoever may pass learns that nothing is there; the others learn nothing. */
function unmatched(access: Access): EnvoyRoute {
  return {
    name: "unmatched",
    match: { prefix: "/" },
    direct_response: { status: access === "refused" ? 401 : 404 },
    typed_per_filter_config: accessOnRoute(access),
  };
}

/** RFC 9110, section 15.5.20: the client is to ask again on a connection of its own. */
function misdirected(): EnvoyRoute {
  return {
    name: "misdirected",
    match: { prefix: "/" },
    direct_response: { status: 421 },
    typed_per_filter_config: accessOnRoute("open"),
  };
}

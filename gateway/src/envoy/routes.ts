import type { Access, Host, Route, Server } from "../model/model.ts";
import { createMemory } from "../model/remember.ts";
import { compressionOnRoute } from "./compression.ts";
import { corsOnRoute } from "./cors.ts";
import { type EnvoyResource, type Json, typed } from "./envoy-config.ts";
import { headerMutations } from "./header-mutations.ts";
import { accessOnRoute } from "./jwt-authn.ts";
import {
  asleepUnlessCounted,
  bucketsOf,
  type EnvoyRoute,
  type Limits,
  limitsByStage,
} from "./rate-limit.ts";
import { retriesOnRoute } from "./retries.ts";
import { routeAction } from "./route-action.ts";
import { matchOf } from "./route-match.ts";
import { metadataOf } from "./route-metadata.ts";
import { sharedLimitsOnRoute } from "./shared-rate-limit.ts";
import { guardsFor, type MatchingRoute, withSpellingGuards } from "./spelling-guards.ts";
import { bodyOnRoute } from "./streaming.ts";
import { demandsOnRoute } from "./token-demands.ts";

/**
 * RDS: the hosts and routes of one server. Envoy takes the first route that matches. What most routes
 * would say is said once for all of them: Envoy reads the whole of this whenever one route changes.
 */
export function routeConfigurationOf(server: Server, unmatched: Access): EnvoyResource {
  const limits = limitsByStage(server.hosts);
  return typed("envoy.config.route.v3.RouteConfiguration", {
    name: server.name,
    // `localhost:8080` is the host `localhost`; the service still sees the port in Host.
    ignore_port_in_host_matching: true,
    typed_per_filter_config: { ...accessOnRoute({ access: unmatched }), ...bucketsOf(limits) },
    virtual_hosts: server.hosts.map((host) =>
      hosts(host, [unmatched, ...limits.keys()], () => virtualHostOf(host, unmatched, limits)),
    ),
  });
}

const hosts = createMemory<Json>();
const routes = createMemory<MatchingRoute>();
const guards = createMemory<readonly EnvoyRoute[]>();

function virtualHostOf(host: Host, unmatched: Access, limits: Limits): Json {
  const asleep = <One extends EnvoyRoute>(route: One) => asleepUnlessCounted(limits, route);
  const from = [unmatched, ...limits.keys()];
  const own = (route: Route) => routes(route, from, () => asleep(routeOf(route, unmatched)));
  const guarding = (route: Route) =>
    guards(route, from, () => guardsFor(route, own(route).match, unmatched).map(asleep));
  return {
    name: host.hostname,
    domains: [host.hostname],
    routes: host.isMisdirected
      ? [asleep(misdirected())]
      : [
          ...withSpellingGuards(host.routes, own, guarding),
          ...(unmatched === "refused" ? [nothingForAnybody()] : []),
        ],
  };
}

function routeOf(route: Route, unmatched: Access) {
  return {
    name: route.name,
    match: matchOf(route),
    ...routeAction(route),
    ...headerMutations(route),
    ...metadataOf(route),
    typed_per_filter_config: {
      ...accessOnRoute(route, unmatched),
      ...demandsOnRoute(route.demands),
      ...corsOnRoute(route.cors),
      ...bodyOnRoute(route),
      ...retriesOnRoute(route),
      ...compressionOnRoute(route.traffic),
      ...sharedLimitsOnRoute(route),
    },
  };
}

/** Elsewhere whoever may pass learns that nothing is there: Envoy's own 404, after the token. */
function nothingForAnybody(): EnvoyRoute {
  return {
    name: "unmatched",
    match: { prefix: "/" },
    direct_response: { status: 401 },
    typed_per_filter_config: {},
  };
}

/** RFC 9110, section 15.5.20: the client is to ask again on a connection of its own. */
function misdirected(): EnvoyRoute {
  return {
    name: "misdirected",
    match: { prefix: "/" },
    direct_response: { status: 421 },
    typed_per_filter_config: accessOnRoute({ access: "open" }),
  };
}

import type { Access, Host, Route, Server } from "../model/model.ts";
import { corsOnRoute } from "./cors.ts";
import { type EnvoyResource, type Json, typed } from "./envoy-config.ts";
import { headerMutations } from "./header-mutations.ts";
import { accessOnRoute } from "./jwt-authn.ts";
import { otherMethod } from "./methods.ts";
import { retryPolicy } from "./retries.ts";
import { routeAction } from "./route-action.ts";
import { matchOf } from "./route-match.ts";
import { withSpellingGuards } from "./spelling-guards.ts";
import { streamingOnRoute } from "./streaming.ts";
import { demandsOnRoute, metadataOf } from "./token-demands.ts";

/** RDS: the hosts and routes of one server. Envoy takes the first route that matches. */
export function routeConfigurationOf(server: Server): EnvoyResource {
  return typed("envoy.config.route.v3.RouteConfiguration", {
    name: server.name,
    // `localhost:8080` is the host `localhost`; the service still sees the port in Host.
    ignore_port_in_host_matching: true,
    virtual_hosts: server.hosts.map(virtualHostOf),
  });
}

function virtualHostOf(host: Host): Json {
  return {
    name: host.hostname,
    domains: [host.hostname],
    retry_policy: retryPolicy(),
    routes: host.isMisdirected
      ? [misdirected()]
      : [
          otherMethods(host.unmatched),
          ...withSpellingGuards(host.routes, routeOf),
          unmatched(host.unmatched),
        ],
  };
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
      ...streamingOnRoute(route),
    },
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

/** RFC 9110, section 15.5.20: the client is to ask again on a connection of its own. */
function misdirected(): Json {
  return {
    name: "misdirected",
    match: { prefix: "/" },
    direct_response: { status: 421 },
    typed_per_filter_config: accessOnRoute("open"),
  };
}

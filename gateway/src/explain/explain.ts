import { METHODS } from "../envoy/methods.ts";
import { guardedSpelling } from "../envoy/spelling-guards.ts";
import { coverers } from "../model/hostnames.ts";
import type { Access, Host, Listener, Model, Route } from "../model/model.ts";
import { policiesOf } from "./policies-of.ts";
import type { Request } from "./request.ts";
import { whyNot } from "./why-not.ts";

/**
 * Which listener, host and route a request meets, and why: the routes that came before are named
 * with what they did not match, as they are tried, and what policies ask of the one that has it.
 */
export function explain(model: Model, request: Request): string[] {
  const listener = model.listeners.find(({ port }) => port === request.port);
  if (!listener) {
    const ports = [...new Set(model.listeners.map(({ port }) => port))].join(", ") || "none";
    return [`Nothing listens on port ${request.port}. Ports with a listener: ${ports}.`];
  }
  const { namespace, name } = listener.gateway;
  const heading = `Listener on port ${listener.port} of Gateway ${namespace}/${name}`;
  const host = hostOf(listener, request);
  if (!host) {
    return [heading, `No ${request.scheme} server of it has the hostname ${request.hostname}.`];
  }
  return [
    heading,
    `Host ${host.hostname}, the most special one that covers ${request.hostname}`,
    `Path ${request.path}, as Envoy reads it`,
    ...routeLines(host, request, listener),
  ];
}

function hostOf(listener: Listener, { hostname, scheme }: Request): Host | undefined {
  const servers = listener.servers.filter(
    ({ tls }) => (tls !== undefined) === (scheme === "https"),
  );
  const server =
    coverers(hostname).flatMap(
      (one) => servers.find(({ tls }) => tls?.hostname === one) ?? [],
    )[0] ?? servers.find(({ tls }) => tls === undefined);
  return coverers(hostname).flatMap(
    (one) => server?.hosts.find((host) => host.hostname === one) ?? [],
  )[0];
}

function routeLines(host: Host, request: Request, { tokenIssuer, unmatched }: Listener): string[] {
  const methods: readonly string[] = METHODS;
  if (!methods.includes(request.method)) {
    return [`Answer 405: ${request.method} is let through nowhere.`];
  }
  const lines: string[] = [];
  for (const [index, route] of host.routes.entries()) {
    const guarded = guardedSpelling(host.routes, index, request.path);
    if (guarded) {
      const answer = statusWithout(guarded.access, 404);
      return [
        ...lines,
        `Answer ${answer}: the path is another spelling of ${guarded.match.path.value}, which ${guarded.name} restricts and ${route.name} would not.`,
      ];
    }
    const reason = whyNot(route, request);
    if (reason === undefined) {
      return [...lines, ...matched(route, index), ...policiesOf(route, tokenIssuer)];
    }
    lines.push(`  not ${route.name}: ${reason}`);
  }
  return [...lines, `Answer ${statusWithout(unmatched, 404)}: no rule matches.`];
}

function statusWithout(access: Access, status: number): string {
  if (access === "refused") {
    return "401";
  }
  return access === "token" ? `401 without a good token, ${status} with one` : String(status);
}

function matched(route: Route, index: number): string[] {
  const { redirect, destinations, isUnsupported } = route;
  const backends = destinations.map(
    ({ backend, weight }) => `${backend ?? "nothing (500)"} with weight ${weight}`,
  );
  const does = redirect ? `redirects with ${redirect.status}` : `goes to ${backends.join(", ")}`;
  return [
    `Route ${route.name}, number ${index + 1} of those that are tried`,
    isUnsupported ? "  answers 500: it asks for something that is not carried out" : `  ${does}`,
  ];
}

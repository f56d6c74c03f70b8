import { durationMs, type HTTPRoute, type RouteRule } from "../snapshot/gateway-api.ts";
import { keyOf } from "../snapshot/metadata.ts";
import type { Rejection, Snapshot } from "../snapshot/snapshot.ts";
import { type Attachment, attachRoutes } from "./attachments.ts";
import { type AcceptedGateway, acceptGateways } from "./gateways.ts";
import { ANY_HOST, coverers } from "./hostnames.ts";
import type { Access, Destination, Host, Listener, Model, Route, Timeouts } from "./model.ts";
import { type Policies, resolvePolicies } from "./policies.ts";
import { byPrecedence, type Candidate, compareText } from "./precedence.ts";
import { followReferences, isRefusal, type References } from "./references.ts";
import { fails, holds, type Refusal, type Verdict } from "./verdict.ts";

/** A snapshot made sense of. Pure: the same objects give the same model, in the same order. */
export function buildModel(snapshot: Snapshot): Model {
  const references = followReferences(snapshot);
  const gateways = acceptGateways(snapshot);
  const policies = resolvePolicies(snapshot, references);
  const { attachments, verdicts } = attachRoutes(snapshot, gateways);
  const rules = resolveRules(attachments, references);

  const byGateway = Map.groupBy(attachments, ({ gatewayKey }) => gatewayKey);
  const listeners = gateways.accepted.flatMap((gateway) =>
    listenersOf(gateway, byGateway.get(gateway.key) ?? [], rules, policies),
  );
  return {
    listeners: listeners.sort((a, b) => compareText(a.name, b.name)),
    backends: references.backends(),
    verdicts: [
      ...snapshot.rejections.map(rejectionVerdict),
      ...gateways.verdicts.map((verdict) => withAttachedRoutes(verdict, attachments)),
      ...verdicts.map((verdict) => withResolvedRefs(verdict, rules)),
      ...policies.verdicts,
    ],
  };
}

/** What the rules of each HTTPRoute lead to; the same on every listener, so resolved once. */
interface ResolvedRoute {
  readonly refusal?: Refusal;
  readonly destinations: readonly (readonly Destination[])[];
}

type ResolvedRoutes = ReadonlyMap<string, ResolvedRoute>;

function resolveRules(attachments: readonly Attachment[], references: References): ResolvedRoutes {
  const routes = new Map<string, ResolvedRoute>();
  for (const { route } of attachments) {
    const key = keyOf(route.metadata);
    if (!routes.has(key)) {
      routes.set(key, resolveRoute(route, references));
    }
  }
  return routes;
}

function resolveRoute(route: HTTPRoute, references: References): ResolvedRoute {
  const from = {
    group: "gateway.networking.k8s.io",
    kind: "HTTPRoute",
    namespace: route.metadata.namespace,
  };
  let refusal: Refusal | undefined;
  const destinations = route.spec.rules.map((rule) =>
    rule.backendRefs.map(({ weight, ...ref }): Destination => {
      const outcome = references.resolve(ref, from);
      if (isRefusal(outcome)) {
        refusal ??= outcome;
        return { weight };
      }
      return { backend: outcome.backend.name, weight };
    }),
  );
  return { refusal, destinations };
}

/** The sockets of one Gateway: its listeners by port. */
function listenersOf(
  { gateway, key, listeners }: AcceptedGateway,
  attachments: readonly Attachment[],
  rules: ResolvedRoutes,
  policies: Policies,
): Listener[] {
  const tokenIssuer = policies.tokenIssuerOf(key);
  const ports = new Set(listeners.map(({ listener }) => listener.port));
  return [...ports].map((port) => ({
    name: `${gateway.metadata.namespace}_${gateway.metadata.name}_${port}`,
    port,
    tokenIssuer,
    hosts: hostsOn(
      listeners.filter(({ listener }) => listener.port === port).map(({ hostname }) => hostname),
      attachments.filter(({ listener }) => listener.listener.port === port),
      (hosted) => compileRoutes(hosted, rules, policies),
      policies.accessByDefault(key),
    ),
  }));
}

/**
 * A request belongs to the most specific listener that covers its hostname, and to no other
 * (listener isolation); within it the routes of the most specific hostname come first.
 */
function hostsOn(
  listenerHostnames: readonly string[],
  attachments: readonly Attachment[],
  compile: (attachments: readonly Attachment[]) => Route[],
  unmatched: Access,
): Host[] {
  const byHostname = new Map<string, Attachment[]>();
  for (const attachment of attachments) {
    for (const hostname of attachment.hostnames) {
      const group = byHostname.get(hostname) ?? [];
      group.push(attachment);
      byHostname.set(hostname, group);
    }
  }
  const hostnames = new Set([ANY_HOST, ...listenerHostnames, ...byHostname.keys()]);
  return [...hostnames].sort(compareText).map((hostname) => {
    const owner = coverers(hostname).find((one) => listenerHostnames.includes(one));
    const seen = new Set<Attachment>();
    const routes = coverers(hostname).flatMap((covering) => {
      const fresh = (byHostname.get(covering) ?? []).filter(
        (attachment) => attachment.listener.hostname === owner && !seen.has(attachment),
      );
      for (const attachment of fresh) {
        seen.add(attachment);
      }
      return compile(fresh);
    });
    return { hostname, routes, unmatched };
  });
}

function compileRoutes(
  attachments: readonly Attachment[],
  rules: ResolvedRoutes,
  policies: Policies,
): Route[] {
  const candidates = attachments.flatMap(({ gatewayKey, route }) =>
    route.spec.rules.flatMap((rule, ruleIndex) =>
      rule.matches.map((match, matchIndex) => ({
        match,
        metadata: route.metadata,
        ruleIndex,
        matchIndex,
        rule,
        access: policies.accessOf(route, rule.name, gatewayKey),
      })),
    ),
  );
  return candidates.sort(byPrecedence).map((candidate) => routeOf(candidate, rules));
}

function routeOf(
  candidate: Candidate & { readonly rule: RouteRule; readonly access: Access },
  rules: ResolvedRoutes,
): Route {
  const { match, metadata, rule, ruleIndex, access } = candidate;
  const key = keyOf(metadata);
  return {
    name: `${key}/${rule.name ?? ruleIndex}`,
    match,
    access,
    timeouts: timeoutsOf(rule),
    destinations: rules.get(key)?.destinations[ruleIndex] ?? [],
  };
}

function timeoutsOf({ timeouts: { request, backendRequest } }: RouteRule): Timeouts {
  return {
    ...(request !== undefined && { requestMs: durationMs(request) }),
    ...(backendRequest !== undefined && { backendRequestMs: durationMs(backendRequest) }),
  };
}

function rejectionVerdict({ object, generation, origin, reason, message }: Rejection): Verdict {
  return {
    object,
    generation,
    origin,
    conditions: [fails("Accepted", { reason, message: `${origin}: ${message}` })],
  };
}

function withAttachedRoutes(verdict: Verdict, attachments: readonly Attachment[]): Verdict {
  if (verdict.listener === undefined) {
    return verdict;
  }
  const key = keyOf(verdict.object);
  const attached = attachments.filter(
    ({ gatewayKey, listener }) => gatewayKey === key && listener.listener.name === verdict.listener,
  );
  return { ...verdict, attachedRoutes: attached.length };
}

function withResolvedRefs(verdict: Verdict, rules: ResolvedRoutes): Verdict {
  const resolved = rules.get(keyOf(verdict.object));
  if (!resolved) {
    return verdict;
  }
  const condition = resolved.refusal
    ? fails("ResolvedRefs", resolved.refusal)
    : holds("ResolvedRefs");
  return { ...verdict, conditions: [...verdict.conditions, condition] };
}

import { keyOf, type ObjectRef } from "../snapshot/metadata.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { type AnyRoute, type AnyRule, routesOf } from "./any-route.ts";
import { type Attachment, attachRoutes, type Outcome } from "./attachments.ts";
import { resolveBackendTls } from "./backend-tls.ts";
import { followCertificates } from "./certificates.ts";
import {
  acceptGateways,
  type OurGateway,
  parentKey,
  type SocketPortOf,
  samePort,
} from "./gateways.ts";
import { type HostsContext, hostsOn } from "./hosts.ts";
import type { ListenerState } from "./listeners.ts";
import { routesOfMappings } from "./mappings.ts";
import type { Listener, Model, Redirect, Route, RulePolicies, Server } from "./model.ts";
import { readNamespaces } from "./namespaces.ts";
import { type Policies, resolvePolicies } from "./policies.ts";
import { byPrecedence, type Candidate, compareText } from "./precedence.ts";
import { followReferences, type References } from "./references.ts";
import { rejectionVerdicts } from "./rejections.ts";
import { resourceName } from "./resource-name.ts";
import { type ResolvedRule, resolveRule } from "./rules.ts";
import { routesOfServices } from "./service-routes.ts";
import { resolveTraffic } from "./traffic.ts";
import { fails, holds, type Verdict } from "./verdict.ts";

/**
 * A snapshot made sense of. Pure: the same objects give the same model, in the same order.
 *
 * @param sharesLimits replicas have a place to count together
 */
export function buildModel(
  snapshot: Snapshot,
  socketPortOf: SocketPortOf = samePort,
  sharesLimits = true,
): Model {
  const certificates = followCertificates(snapshot);
  const namespaces = readNamespaces(snapshot);
  const tlsPolicies = resolveBackendTls(snapshot, certificates);
  const traffic = resolveTraffic(snapshot);
  const references = followReferences(snapshot, tlsPolicies, traffic);
  const gateways = acceptGateways(snapshot, { certificates, namespaces, socketPortOf });
  const policies = resolvePolicies(snapshot, references, traffic, sharesLimits);
  const mappings = routesOfMappings(snapshot, gateways);
  const services = routesOfServices(snapshot, gateways);
  const { attachments, outcomes } = attachRoutes(
    [...routesOf(snapshot), ...mappings.routes, ...services.routes],
    gateways,
    namespaces,
  );
  const rules = ruleResolver(references);

  const byGateway = Map.groupBy(attachments, ({ gateway }) => gateway.key);
  const listeners = gateways.ours.flatMap((gateway) =>
    listenersOf(gateway, byGateway.get(gateway.key) ?? [], rules, policies),
  );
  const routeVerdicts = outcomes.map((outcome) => withRules(outcome, rules));
  return {
    listeners: listeners.sort((a, b) => compareText(a.name, b.name)),
    backends: references.backends(),
    secrets: certificates.secrets(),
    verdicts: [
      ...rejectionVerdicts(snapshot, gateways),
      ...gateways.verdicts.map(countRoutes(attachments)),
      ...routeVerdicts,
      ...mappings.verdicts,
      ...services.verdicts,
      ...tlsPolicies.verdicts(),
      ...policies.verdicts,
    ],
  };
}

type RuleResolver = (route: AnyRoute, gateway: OurGateway) => readonly ResolvedRule[];

/** What rules lead to is the same on every listener of a Gateway, so it is found once. */
function ruleResolver(references: References): RuleResolver {
  const known = new Map<AnyRoute, Map<string, readonly ResolvedRule[]>>();
  return (route, gateway) => {
    const byGateway = known.get(route) ?? new Map<string, readonly ResolvedRule[]>();
    known.set(route, byGateway);
    const rules =
      byGateway.get(gateway.key) ??
      route.rules.map((rule) => resolveRule(route, rule, gateway, references));
    byGateway.set(gateway.key, rules);
    return rules;
  };
}

/** The sockets of one Gateway: its listeners by port, and by TLS name. */
function listenersOf(
  { key, gateway, listeners }: OurGateway,
  attachments: readonly Attachment[],
  rules: RuleResolver,
  policies: Policies,
): Listener[] {
  const { namespace, name } = gateway.metadata;
  const served = listeners.filter(({ isServed }) => isServed);
  const byPort = Map.groupBy(served, ({ listener }) => listener.port);
  return [...byPort].map(([port, states]) => {
    const listenerName = resourceName(namespace, name, port);
    const context: HostsContext = {
      listenerHostnames: states.map(({ hostname }) => hostname),
      attachments: attachments.filter(
        ({ listener }) => listener.isServed && listener.listener.port === port,
      ),
      compile: (hosted) => compileRoutes(hosted, rules, policies),
      unmatched: policies.accessByDefault(key),
    };
    const tokenIssuer = policies.tokenIssuerOf(key);
    return {
      name: listenerName,
      gateway: { namespace, name },
      port,
      socketPort: states[0]?.socketPort ?? port,
      ...(tokenIssuer && { tokenIssuer }),
      servers: serversOf(listenerName, states, context),
    };
  });
}

function serversOf(
  listenerName: string,
  states: readonly ListenerState[],
  context: HostsContext,
): Server[] {
  const secured = states.filter(({ tls }) => tls !== undefined);
  if (secured.length === 0) {
    return [{ name: listenerName, hosts: hostsOn(context) }];
  }
  const servers = secured.map(({ hostname, tls, listener, owner }) => ({
    name: resourceName(
      listenerName,
      ...(owner.kind === "Gateway" ? [] : [owner.namespace, owner.name]),
      listener.name,
    ),
    ...(tls && { tls }),
    hosts: hostsOn(context, hostname),
  }));
  return servers.sort((a, b) => compareText(a.name, b.name));
}

function compileRoutes(
  attachments: readonly Attachment[],
  rules: RuleResolver,
  policies: Policies,
): Route[] {
  const candidates = attachments.flatMap((attachment) => {
    const { route, gateway } = attachment;
    const resolved = rules(route, gateway);
    return route.rules.flatMap((rule, ruleIndex) =>
      rule.matches.map((match, matchIndex) => ({
        ...{ match, metadata: route.metadata, ruleIndex, matchIndex },
        ...(route.precedence !== undefined && { precedence: route.precedence }),
        ...(route.isImplied && { isImplied: true }),
        ...{ rule, attachment, resolved: resolved[ruleIndex] },
        policies: policies.onRule(route, rule.name, gateway.key),
      })),
    );
  });
  return candidates.sort(byPrecedence).map(routeOf);
}

function routeOf({
  match,
  metadata,
  rule,
  ruleIndex,
  policies,
  attachment: { listener, route },
  resolved,
}: Candidate & {
  readonly rule: AnyRule;
  readonly policies: RulePolicies;
  readonly attachment: Attachment;
  readonly resolved: ResolvedRule | undefined;
}): Route {
  const { grpc, ...request } = match;
  const actions = resolved?.actions ?? { timeouts: {}, destinations: [] };
  return {
    name: `${keyOf(metadata)}/${rule.name ?? ruleIndex}`,
    match: request,
    ...(grpc && { isGrpc: true }),
    ...policies,
    ...actions,
    ...(actions.redirect && {
      // Emissary's goes to the host that it names, and adds nothing.
      redirect:
        route.kind === "Mapping" ? actions.redirect : onListener(actions.redirect, listener),
    }),
  };
}

/**
 * The port of a redirect: the one that was asked for, else that of the scheme, else the listener's
 * own. One that goes without saying is not said, unless the client's own Host may say another.
 */
function onListener({ port, ...redirect }: Redirect, { listener }: ListenerState): Redirect {
  const own = listener.protocol === "HTTPS" ? "https" : "http";
  const usual = { http: 80, https: 443 }[redirect.scheme ?? own];
  const wanted = port ?? (redirect.scheme === undefined ? listener.port : usual);
  const isAlone =
    redirect.hostname === undefined && listener.port !== { http: 80, https: 443 }[own];
  return wanted === usual && !isAlone ? redirect : { ...redirect, port: wanted };
}

/** Of each listener, how many routes are attached to it, whether or not it is served. */
function countRoutes(attachments: readonly Attachment[]): (verdict: Verdict) => Verdict {
  const routes = new Map<string, Set<AnyRoute>>();
  for (const { listener, route } of attachments) {
    const key = listenerKey(listener.owner, listener.listener.name);
    routes.set(key, (routes.get(key) ?? new Set()).add(route));
  }
  return (verdict) =>
    verdict.listener === undefined
      ? verdict
      : {
          ...verdict,
          attachedRoutes: routes.get(listenerKey(verdict.object, verdict.listener))?.size ?? 0,
        };
}

function listenerKey(owner: ObjectRef, name: string): string {
  return `${parentKey(owner)} ${name}`;
}

/** Whether its references lead anywhere is said of every route, also of one that nobody took. */
function withRules({ route, gateway, verdict }: Outcome, rules: RuleResolver): Verdict {
  if (!gateway) {
    return verdict;
  }
  const resolved = rules(route, gateway);
  const [unresolved] = resolved.flatMap((rule) => rule.unresolved);
  const unsupported = resolved.flatMap((rule, index) =>
    rule.unsupported === undefined ? [] : [`rules[${index}]: ${rule.unsupported}`],
  );
  const conditions = [
    ...verdict.conditions,
    unresolved ? fails("ResolvedRefs", unresolved) : holds("ResolvedRefs"),
  ];
  if (unsupported.length === 0) {
    return { ...verdict, conditions };
  }
  const message = `${unsupported.join("; ")}; answered with 500`;
  if (unsupported.length < resolved.length) {
    const partly = holds("PartiallyInvalid", message, "UnsupportedValue");
    return { ...verdict, conditions: [...conditions, partly] };
  }
  const refused = fails("Accepted", { reason: "UnsupportedValue", message });
  return {
    ...verdict,
    conditions: conditions.map((one) =>
      one.type === "Accepted" && one.status === "True" ? refused : one,
    ),
  };
}

import type { ObjectRef } from "../snapshot/metadata.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { type AnyRoute, createRouteReader } from "./any-route.ts";
import { type Attachment, createAttacher, type Outcome } from "./attachments.ts";
import { resolveBackendTls } from "./backend-tls.ts";
import { backendsOf, slicesByService } from "./backends.ts";
import { followCertificates } from "./certificates.ts";
import { createRouteCompiler, type RuleResolver } from "./compile-routes.ts";
import {
  acceptGateways,
  type OurGateway,
  parentKey,
  type SocketPortOf,
  samePort,
} from "./gateways.ts";
import { type HostMemory, type HostsContext, hostsOn } from "./hosts.ts";
import type { ListenerState } from "./listeners.ts";
import { routesOfMappings } from "./mappings.ts";
import type { Listener, Model, Server } from "./model.ts";
import { readNamespaces } from "./namespaces.ts";
import { type Policies, resolvePolicies } from "./policies.ts";
import { createTargetsReader } from "./policy-targets.ts";
import { compareText } from "./precedence.ts";
import { followReferences, type References, type Visit } from "./references.ts";
import { rejectionVerdicts } from "./rejections.ts";
import { createListMemory, createMemory, remembered } from "./remember.ts";
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
  return createModelBuilder(socketPortOf, sharesLimits)(snapshot);
}

/**
 * Builds one model after another, and does again only what has changed. Parts of the model that are as
 * they were before are the same JavaScript objects, by which later stages recognise them.
 */
export function createModelBuilder(
  socketPortOf: SocketPortOf = samePort,
  sharesLimits = true,
): (snapshot: Snapshot) => Model {
  const survey = remembered(surveyGateways);
  const readTargets = createTargetsReader();
  const readTraffic = remembered(resolveTraffic);
  const follow = remembered(followReferences);
  const readPolicies = remembered(resolvePolicies);
  const readMappings = remembered(routesOfMappings);
  const readServices = remembered(routesOfServices);
  const readSlices = remembered(slicesByService);
  const reject = remembered(rejectionVerdicts);
  const readRoutes = createRouteReader();
  const attach = createAttacher();
  const resolvers = createMemory<RuleResolver>();
  const conclude = createListMemory<Outcome, Conclusion>();
  const compile = createRouteCompiler();
  let hosts: HostMemory = new Map();

  return (snapshot) => {
    const { certificates, namespaces, tlsPolicies, gateways } = survey(snapshot, socketPortOf);
    const targets = readTargets(snapshot);
    const traffic = readTraffic(snapshot, targets);
    const references = follow(snapshot, tlsPolicies, traffic);
    const policies = readPolicies(snapshot, references, traffic, targets, sharesLimits);
    const mappings = readMappings(snapshot, gateways);
    const services = readServices(snapshot, gateways);
    const { attachments, outcomes } = attach(
      [...readRoutes(snapshot), ...mappings.routes, ...services.routes],
      gateways,
      namespaces,
    );
    const rules = resolvers(references, [], () => ruleResolver(references));
    const context = {
      ...{ policies, from: [rules, policies], memory: hosts },
      compile: (some: readonly Attachment[]) => compile(some, rules, policies),
    };
    const byGateway = Map.groupBy(attachments, ({ gateway }) => gateway.key);
    const listeners = gateways.ours.flatMap((gateway) =>
      listenersOf(gateway, byGateway.get(gateway.key) ?? [], context),
    );
    hosts = new Map([...hosts].filter(([server]) => isServed(server, listeners)));
    const conclusions = conclude(outcomes, [rules], (outcome) => conclusionOf(outcome, rules));
    const visits = [...policies.visits, ...conclusions.flatMap((one) => one.visits)];
    return {
      listeners: listeners.sort((a, b) => compareText(a.name, b.name)),
      backends: backendsOf(visits, readSlices(snapshot)),
      secrets: certificates.secrets(),
      verdicts: [
        ...reject(snapshot, gateways),
        ...gateways.verdicts.map(countRoutes(attachments)),
        ...conclusions.map(({ verdict }) => verdict),
        ...mappings.verdicts,
        ...services.verdicts,
        ...tlsPolicies.verdicts(visits),
        ...policies.verdicts,
      ],
    };
  };
}

function isServed(name: string, listeners: readonly Listener[]): boolean {
  return listeners.some(({ servers }) => servers.some((server) => server.name === name));
}

/** What is asked of routes, and what they cannot change. */
function surveyGateways(snapshot: Snapshot, socketPortOf: SocketPortOf) {
  const certificates = followCertificates(snapshot);
  const namespaces = readNamespaces(snapshot);
  const tlsPolicies = resolveBackendTls(snapshot, certificates);
  const gateways = acceptGateways(snapshot, { certificates, namespaces, socketPortOf });
  return { certificates, namespaces, tlsPolicies, gateways };
}

/** What rules lead to is the same on every listener of a Gateway, so it is found once. */
function ruleResolver(references: References): RuleResolver {
  const known = new WeakMap<AnyRoute, Map<OurGateway, readonly ResolvedRule[]>>();
  return (route, gateway) => {
    const byGateway = known.get(route);
    const before = byGateway?.get(gateway);
    if (before) {
      return before;
    }
    const rules = route.rules.map((rule) => resolveRule(route, rule, gateway, references));
    if (byGateway) {
      byGateway.set(gateway, rules);
    } else {
      known.set(route, new Map([[gateway, rules]]));
    }
    return rules;
  };
}

interface ListenersContext extends Pick<HostsContext, "compile" | "from" | "memory"> {
  readonly policies: Policies;
}

/** The sockets of one Gateway: its listeners by port, and by TLS name. */
function listenersOf(
  { key, gateway, listeners }: OurGateway,
  attachments: readonly Attachment[],
  { policies, ...how }: ListenersContext,
): Listener[] {
  const { namespace, name } = gateway.metadata;
  const served = listeners.filter(({ isServed }) => isServed);
  const byPort = Map.groupBy(served, ({ listener }) => listener.port);
  return [...byPort].map(([port, states]) => {
    const listenerName = resourceName(namespace, name, port);
    const context: HostsContext = {
      ...how,
      listenerHostnames: states.map(({ hostname }) => hostname),
      attachments: attachments.filter(
        ({ listener }) => listener.isServed && listener.listener.port === port,
      ),
    };
    const tokenIssuer = policies.tokenIssuerOf(key);
    return {
      name: listenerName,
      gateway: { namespace, name },
      port,
      socketPort: states[0]?.socketPort ?? port,
      ...(tokenIssuer && { tokenIssuer }),
      unmatched: policies.accessByDefault(key),
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
    return [{ name: listenerName, hosts: hostsOn(listenerName, context) }];
  }
  const servers = secured.map(({ hostname, tls, listener, owner }) => {
    const name = resourceName(
      listenerName,
      ...(owner.kind === "Gateway" ? [] : [owner.namespace, owner.name]),
      listener.name,
    );
    return { name, ...(tls && { tls }), hosts: hostsOn(name, context, hostname) };
  });
  return servers.sort((a, b) => compareText(a.name, b.name));
}

/** Of each listener, how many routes are attached to it, whether or not it is served. */
function countRoutes(attachments: readonly Attachment[]): (verdict: Verdict) => Verdict {
  const counts = new Map<string, number>();
  for (const [{ owner, listener }, attached] of Map.groupBy(attachments, (one) => one.listener)) {
    const routes = new Set(attached.map(({ route }) => route));
    counts.set(listenerKey(owner, listener.name), routes.size);
  }
  return (verdict) =>
    verdict.listener === undefined
      ? verdict
      : {
          ...verdict,
          attachedRoutes: counts.get(listenerKey(verdict.object, verdict.listener)) ?? 0,
        };
}

function listenerKey(owner: ObjectRef, name: string): string {
  return `${parentKey(owner)} ${name}`;
}

/** Whether its references lead anywhere is said of every route, also of one that nobody took. */
interface Conclusion {
  readonly verdict: Verdict;
  readonly visits: readonly Visit[];
}

function conclusionOf({ route, gateway, verdict }: Outcome, rules: RuleResolver): Conclusion {
  if (!gateway) {
    return { verdict, visits: [] };
  }
  const resolved = rules(route, gateway);
  return {
    verdict: addRules(verdict, resolved),
    visits: resolved.flatMap(({ visits }) => visits),
  };
}

function addRules(verdict: Verdict, resolved: readonly ResolvedRule[]): Verdict {
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

import { GATEWAY_GROUP, type ParentRef } from "../snapshot/gateway-api.ts";
import { keyOf, type ObjectRef } from "../snapshot/metadata.ts";
import { type AnyRoute, standardKindOf } from "./any-route.ts";
import { type Gateways, type OurGateway, type Parent, parentKey } from "./gateways.ts";
import { ANY_HOST, intersection } from "./hostnames.ts";
import type { ListenerState } from "./listeners.ts";
import type { Namespaces } from "./namespaces.ts";
import { createListMemory } from "./remember.ts";
import { fails, holds, type Refusal, type Verdict } from "./verdict.ts";

/** One route on one listener, under the hostnames that both allow. */
export interface Attachment {
  readonly gateway: OurGateway;
  readonly listener: ListenerState;
  readonly hostnames: readonly string[];
  readonly route: AnyRoute;
}

/** One parentRef of one route that names something of ours, and what came of it. */
export interface Outcome {
  readonly route: AnyRoute;
  readonly gateway: OurGateway | undefined;
  readonly verdict: Verdict;
}

export interface Attachments {
  readonly attachments: readonly Attachment[];
  readonly outcomes: readonly Outcome[];
}

export type AttachRoutes = (
  routes: readonly AnyRoute[],
  gateways: Gateways,
  namespaces: Namespaces,
) => Attachments;

export function createAttacher(): AttachRoutes {
  const memory = createListMemory<AnyRoute, Attachments>();
  return (routes, gateways, namespaces) => {
    const each = memory(routes, [gateways, namespaces], (route) =>
      attachRoute(route, gateways, namespaces),
    );
    const attachments: Attachment[] = [];
    const outcomes: Outcome[] = [];
    for (const one of each) {
      attachments.push(...one.attachments);
      outcomes.push(...one.outcomes);
    }
    return { attachments, outcomes };
  };
}

function attachRoute(route: AnyRoute, gateways: Gateways, namespaces: Namespaces): Attachments {
  const attachments: Attachment[] = [];
  const outcomes: Outcome[] = [];
  for (const ref of route.parentRefs) {
    const parent = findParent(ref, route.metadata.namespace, gateways);
    if (parent === "foreign") {
      continue;
    }
    const outcome = attach(route, ref, parent, namespaces);
    const attached = Array.isArray(outcome) ? outcome : [];
    const refusal = Array.isArray(outcome) ? refuseUnready(attached) : outcome;
    attachments.push(...attached);
    outcomes.push({
      route,
      gateway: parent?.gateway,
      verdict: {
        object: { kind: route.kind, ...nameOf(route) },
        generation: route.metadata.generation,
        parent: parentOf(ref, route.metadata.namespace),
        conditions: [refusal ? fails("Accepted", refusal) : holds("Accepted", route.note)],
      },
    });
  }
  return { attachments, outcomes };
}

function nameOf({ metadata: { namespace, name } }: AnyRoute) {
  return { namespace, name };
}

const PARENT_KINDS = new Set(["Gateway", "ListenerSet"]);

/** Parents that are nobody's may yet come; whatever else is not ours is another controller's. */
export function findParent(
  ref: ParentRef,
  namespace: string,
  gateways: Gateways,
): Parent | undefined | "foreign" {
  const object = parentOf(ref, namespace);
  const parent = gateways.parents.get(parentKey(object));
  const isForeign =
    ref.group !== GATEWAY_GROUP ||
    !PARENT_KINDS.has(ref.kind) ||
    gateways.foreign.has(parentKey(object));
  return isForeign ? "foreign" : parent;
}

export function parentOf(
  { kind, name, namespace, sectionName, port }: ParentRef,
  own: string,
): ObjectRef & { readonly sectionName?: string; readonly port?: number } {
  return {
    kind,
    namespace: namespace ?? own,
    name,
    ...(sectionName !== undefined && { sectionName }),
    ...(port !== undefined && { port }),
  };
}

/** The listeners that a parentRef reaches, step by step, as a route's `Accepted` reasons are named. */
function attach(
  route: AnyRoute,
  ref: ParentRef,
  parent: Parent | undefined,
  namespaces: Namespaces,
): Attachment[] | Refusal {
  const object = parentOf(ref, route.metadata.namespace);
  const name = `${object.kind} ${keyOf(object)}`;
  const named = (parent?.listeners ?? []).filter(
    ({ listener }) =>
      (ref.sectionName === undefined || listener.name === ref.sectionName) &&
      (ref.port === undefined || listener.port === ref.port),
  );
  if (!parent || named.length === 0) {
    const missing =
      ref.kind === "Gateway" ? `there is no ${name}` : `no Gateway has taken in ${name}`;
    const message = parent ? `${name} has no such listener` : missing;
    return { reason: "NoMatchingParent", message };
  }
  const routeKind = standardKindOf(route);
  const ofKind = named.filter(({ supportedKinds }) =>
    supportedKinds.some(({ kind }) => kind === routeKind),
  );
  if (ofKind.length === 0) {
    const message = `allowedRoutes of ${name} keep out ${route.kind}`;
    return { reason: "NotAllowedByListeners", message };
  }
  const allowed = ofKind.filter(({ listener, owner }) =>
    namespaces.allows(listener.allowedRoutes.namespaces, owner.namespace, route.metadata.namespace),
  );
  if (allowed.length === 0) {
    const message = `allowedRoutes of ${name} keep out namespace ${route.metadata.namespace}`;
    return { reason: "NotAllowedByListeners", message };
  }
  const attachments = allowed.flatMap((listener) => {
    const hostnames = hostnamesOn(listener, route);
    return hostnames.length > 0 ? [{ gateway: parent.gateway, listener, hostnames, route }] : [];
  });
  if (attachments.length === 0) {
    const message = `no listener of ${name} has one of ${route.hostnames.join(", ")}`;
    return { reason: "NoMatchingListenerHostname", message };
  }
  return attachments;
}

/** They are attached, and counted, all the same. */
function refuseUnready(attachments: readonly Attachment[]): Refusal | undefined {
  if (attachments.some(({ listener }) => listener.isAccepted)) {
    return undefined;
  }
  const names = attachments.map(({ listener }) => listener.listener.name).join(", ");
  return { reason: "NoMatchingParent", message: `listener ${names} is not accepted` };
}

function hostnamesOn({ hostname }: ListenerState, route: AnyRoute): string[] {
  const wanted = route.hostnames.length > 0 ? route.hostnames : [ANY_HOST];
  return [...new Set(wanted.flatMap((one) => intersection(hostname, one) ?? []))];
}

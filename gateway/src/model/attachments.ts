import type { HTTPRoute, ParentRef } from "../snapshot/gateway-api.ts";
import { keyOf, refOf } from "../snapshot/metadata.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { AcceptedGateway, AcceptedListener, Gateways } from "./gateways.ts";
import { ANY_HOST, intersection } from "./hostnames.ts";
import { type Condition, fails, holds, type Refusal, type Verdict } from "./verdict.ts";

/** One HTTPRoute on one listener, under the hostnames that both allow. */
export interface Attachment {
  readonly gatewayKey: string;
  readonly listener: AcceptedListener;
  readonly hostnames: readonly string[];
  readonly route: HTTPRoute;
}

export interface Attachments {
  readonly attachments: readonly Attachment[];
  readonly verdicts: readonly Verdict[];
}

export function attachRoutes(snapshot: Snapshot, gateways: Gateways): Attachments {
  const accepted = new Map(gateways.accepted.map((gateway) => [gateway.key, gateway]));
  const attachments: Attachment[] = [];
  const verdicts: Verdict[] = [];
  for (const route of snapshot.httpRoutes) {
    for (const parent of route.spec.parentRefs) {
      const key = parentKey(route, parent);
      if (parent.kind !== "Gateway" || gateways.foreign.has(key)) {
        continue;
      }
      const outcome = attach(route, parent, accepted.get(key), key);
      if (Array.isArray(outcome)) {
        attachments.push(...outcome);
        verdicts.push(verdictOn(route, parent, holds("Accepted")));
      } else {
        verdicts.push(verdictOn(route, parent, fails("Accepted", outcome)));
      }
    }
  }
  return { attachments, verdicts };
}

function parentKey(route: HTTPRoute, parent: ParentRef): string {
  return keyOf({ namespace: parent.namespace ?? route.metadata.namespace, name: parent.name });
}

function verdictOn(route: HTTPRoute, parent: ParentRef, condition: Condition): Verdict {
  return {
    object: refOf("HTTPRoute", route.metadata),
    generation: route.metadata.generation,
    parent: {
      kind: "Gateway",
      namespace: parent.namespace ?? route.metadata.namespace,
      name: parent.name,
      sectionName: parent.sectionName,
      port: parent.port,
    },
    conditions: [condition],
  };
}

/** The listeners that a parentRef reaches, step by step, as HTTPRoute's `Accepted` reasons are named. */
function attach(
  route: HTTPRoute,
  parent: ParentRef,
  gateway: AcceptedGateway | undefined,
  key: string,
): Attachment[] | Refusal {
  const named = (gateway?.listeners ?? []).filter(
    ({ listener }) =>
      (parent.sectionName === undefined || listener.name === parent.sectionName) &&
      (parent.port === undefined || listener.port === parent.port),
  );
  if (!gateway || named.length === 0) {
    const message = gateway ? `Gateway ${key} has no such listener` : `there is no Gateway ${key}`;
    return { reason: "NoMatchingParent", message };
  }
  const allowed = named.filter((listener) => allowsNamespace(listener, gateway, route));
  if (allowed.length === 0) {
    const message = `allowedRoutes of Gateway ${key} keep out namespace ${route.metadata.namespace}`;
    return { reason: "NotAllowedByListeners", message };
  }
  const attachments = allowed.flatMap((listener) => {
    const hostnames = hostnamesOn(listener, route);
    return hostnames.length > 0 ? [{ gatewayKey: key, listener, hostnames, route }] : [];
  });
  if (attachments.length === 0) {
    const message = `no listener of Gateway ${key} has one of ${route.spec.hostnames.join(", ")}`;
    return { reason: "NoMatchingListenerHostname", message };
  }
  return attachments;
}

function allowsNamespace(
  { listener }: AcceptedListener,
  { gateway }: AcceptedGateway,
  route: HTTPRoute,
) {
  const { from } = listener.allowedRoutes.namespaces;
  return (
    from === "All" || (from === "Same" && route.metadata.namespace === gateway.metadata.namespace)
  );
}

function hostnamesOn({ hostname }: AcceptedListener, route: HTTPRoute): string[] {
  const wanted = route.spec.hostnames.length > 0 ? route.spec.hostnames : [ANY_HOST];
  return [...new Set(wanted.flatMap((one) => intersection(hostname, one) ?? []))];
}

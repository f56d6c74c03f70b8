import type { ListenerSet } from "../snapshot/gateway.ts";
import { GATEWAY_GROUP } from "../snapshot/gateway-api.ts";
import { keyOf, refOf } from "../snapshot/metadata.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { Namespaces } from "./namespaces.ts";
import { olderFirst } from "./precedence.ts";
import { fails, type Refusal, type Verdict } from "./verdict.ts";

/** Which ListenerSets a Gateway takes in; what becomes of their listeners is decided beside its own. */
export interface ListenerSets {
  /** The older first, as the standard has them precede each other. */
  of(gatewayKey: string): readonly ListenerSet[];
  /** Those of other controllers' Gateways, or of what is no Gateway. */
  readonly foreign: readonly ListenerSet[];
  /** Of those that are kept out. */
  readonly verdicts: readonly Verdict[];
}

export function takeListenerSets(
  snapshot: Snapshot,
  classes: ReadonlySet<string>,
  namespaces: Namespaces,
): ListenerSets {
  const gateways = new Map(snapshot.gateways.map((gateway) => [keyOf(gateway.metadata), gateway]));
  const taken = new Map<string, ListenerSet[]>();
  const foreign: ListenerSet[] = [];
  const verdicts: Verdict[] = [];
  for (const set of [...snapshot.listenerSets].sort((a, b) => olderFirst(a.metadata, b.metadata))) {
    const { parentRef } = set.spec;
    const key = keyOf({
      namespace: parentRef.namespace ?? set.metadata.namespace,
      name: parentRef.name,
    });
    const gateway = gateways.get(key);
    const isOfGateway = parentRef.group === GATEWAY_GROUP && parentRef.kind === "Gateway";
    if (!isOfGateway || (gateway && !classes.has(gateway.spec.gatewayClassName))) {
      foreign.push(set);
      continue;
    }
    if (!gateway) {
      continue;
    }
    const { allowedListeners } = gateway.spec;
    if (
      namespaces.allows(
        allowedListeners.namespaces,
        gateway.metadata.namespace,
        set.metadata.namespace,
      )
    ) {
      taken.set(key, [...(taken.get(key) ?? []), set]);
    } else {
      const message = `allowedListeners of Gateway ${key} keep out namespace ${set.metadata.namespace}`;
      verdicts.push(refused(set, { reason: "NotAllowed", message }));
    }
  }
  return { of: (key) => taken.get(key) ?? [], foreign, verdicts };
}

function refused({ metadata }: ListenerSet, refusal: Refusal): Verdict {
  return {
    object: refOf("ListenerSet", metadata),
    generation: metadata.generation,
    conditions: [fails("Accepted", refusal), fails("Programmed", refusal)],
  };
}

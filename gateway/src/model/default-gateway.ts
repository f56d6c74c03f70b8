import { refOf } from "../snapshot/metadata.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { type Gateways, parentKey } from "./gateways.ts";
import { olderFirst } from "./precedence.ts";

const DEFAULT_ANNOTATION = "gateway.portico.dev/default";

/**
 * Where a route goes that names no Gateway: the oldest of ours with the annotation
 * `gateway.portico.dev/default: "true"`, else the oldest of ours; in one namespace, if it says which.
 */
export function defaultGateway(
  snapshot: Snapshot,
  gateways: Pick<Gateways, "foreign">,
  namespace?: string,
): { readonly namespace: string; readonly name: string } | undefined {
  const sorted = snapshot.gateways
    .map(({ metadata }) => metadata)
    .filter(
      (metadata) =>
        !gateways.foreign.has(parentKey(refOf("Gateway", metadata))) &&
        (namespace === undefined || metadata.namespace === namespace),
    )
    .sort(olderFirst);
  return sorted.find(({ annotations }) => annotations[DEFAULT_ANNOTATION] === "true") ?? sorted[0];
}

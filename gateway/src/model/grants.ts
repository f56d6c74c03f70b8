import type { Snapshot } from "../snapshot/snapshot.ts";
import type { Refusal } from "./verdict.ts";

/** The object that refers to another. */
export interface Referrer {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
}

/** The object that is referred to. */
export interface Referent {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Whatever is in another namespace is out of reach unless a ReferenceGrant there says otherwise. */
export function refuseReference(
  snapshot: Snapshot,
  from: Referrer,
  to: Referent,
): Refusal | undefined {
  if (to.namespace === from.namespace || isGranted(snapshot, from, to)) {
    return undefined;
  }
  return {
    reason: "RefNotPermitted",
    message: `no ReferenceGrant in ${to.namespace} lets ${from.kind} of ${from.namespace} use ${to.kind} ${to.namespace}/${to.name}`,
  };
}

function isGranted(snapshot: Snapshot, from: Referrer, to: Referent): boolean {
  return snapshot.referenceGrants.some(
    ({ metadata, spec }) =>
      metadata.namespace === to.namespace &&
      spec.from.some(
        ({ group, kind, namespace }) =>
          group === from.group && kind === from.kind && namespace === from.namespace,
      ) &&
      spec.to.some(
        ({ group, kind, name }) =>
          group === to.group && kind === to.kind && (name === undefined || name === to.name),
      ),
  );
}

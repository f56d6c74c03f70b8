import type { Rejection, Snapshot } from "../snapshot/snapshot.ts";
import { findParent, parentOf } from "./attachments.ts";
import { type Gateways, isOurClass } from "./gateways.ts";
import { targetKey, parentOf as targetParent } from "./policy-targets.ts";
import { fails, type Verdict } from "./verdict.ts";

/** What a policy may be attached to anywhere: of other kinds a status would name a group that is not theirs. */
const ATTACHABLE = new Set(["Gateway", "ListenerSet", "HTTPRoute", "GRPCRoute", "Service"]);

/** What is said of objects that are not in the model at all, to whoever they were meant for. */
export function rejectionVerdicts(snapshot: Snapshot, gateways: Gateways): Verdict[] {
  return snapshot.rejections.flatMap((rejection) => verdictsOn(rejection, snapshot, gateways));
}

function verdictsOn(rejection: Rejection, snapshot: Snapshot, gateways: Gateways): Verdict[] {
  const { object, generation, origin, reason, message } = rejection;
  const { gatewayClassName, parentRefs, ancestors = [] } = rejection;
  if (gatewayClassName !== undefined && !isOurClass(snapshot, gatewayClassName)) {
    return [];
  }
  const verdict = {
    object,
    generation,
    origin,
    conditions: [fails("Accepted", { reason, message: `${origin}: ${message}` })],
  };
  const attachable = ancestors.filter(({ kind, name }) => ATTACHABLE.has(kind) && name !== "");
  if (attachable.length > 0) {
    const byKey = new Map(attachable.map((one) => [targetKey(object.namespace, one), one]));
    return [...byKey.values()].map((target) => ({
      ...verdict,
      parent: targetParent(object.namespace, target),
    }));
  }
  const ours = (parentRefs ?? []).filter(
    (ref) => findParent(ref, object.namespace, gateways) !== "foreign",
  );
  if (parentRefs === undefined || parentRefs.length === 0) {
    return [verdict];
  }
  return ours.map((ref) => ({
    ...verdict,
    parent: parentOf(ref, object.namespace),
    conditions: [
      fails("Accepted", { reason: "UnsupportedValue", message: `${origin}: ${message}` }),
    ],
  }));
}

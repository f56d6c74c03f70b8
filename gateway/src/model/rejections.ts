import type { Rejection, Snapshot } from "../snapshot/snapshot.ts";
import { findParent, parentOf } from "./attachments.ts";
import { type Gateways, isOurClass } from "./gateways.ts";
import { fails, type Verdict } from "./verdict.ts";

/** What is said of objects that are not in the model at all, to whoever they were meant for. */
export function rejectionVerdicts(snapshot: Snapshot, gateways: Gateways): Verdict[] {
  return snapshot.rejections.flatMap((rejection) => verdictsOn(rejection, snapshot, gateways));
}

function verdictsOn(rejection: Rejection, snapshot: Snapshot, gateways: Gateways): Verdict[] {
  const { object, generation, origin, reason, message, gatewayClassName, parentRefs } = rejection;
  if (gatewayClassName !== undefined && !isOurClass(snapshot, gatewayClassName)) {
    return [];
  }
  const verdict = {
    object,
    generation,
    origin,
    conditions: [fails("Accepted", { reason, message: `${origin}: ${message}` })],
  };
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

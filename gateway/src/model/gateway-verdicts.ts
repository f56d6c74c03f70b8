import type { Gateway, ListenerSet } from "../snapshot/gateway.ts";
import { keyOf, type ObjectRef, refOf } from "../snapshot/metadata.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { OurGateway } from "./gateways.ts";
import type { ListenerState } from "./listeners.ts";
import { type Condition, fails, holds, isBadNews, type Refusal, type Verdict } from "./verdict.ts";

/** What is said of GatewayClasses, Gateways, ListenerSets and their listeners. */

export function classVerdicts(snapshot: Snapshot, classes: ReadonlySet<string>): Verdict[] {
  const ours = snapshot.gatewayClasses.filter(({ metadata }) => classes.has(metadata.name));
  return ours.map(({ metadata, spec }) => ({
    object: refOf("GatewayClass", metadata),
    generation: metadata.generation,
    conditions: [
      spec.parametersRef === undefined
        ? holds("Accepted")
        : fails("Accepted", {
            reason: "InvalidParameters",
            message: "parametersRef: this gateway's class takes no parameters",
          }),
    ],
  }));
}

export function gatewayVerdicts(
  { gateway, listeners }: Pick<OurGateway, "gateway" | "listeners">,
  clientRefusal: Refusal | undefined,
  sets: readonly ListenerSet[],
): Verdict[] {
  const object = refOf("Gateway", gateway.metadata);
  const own = listeners.filter(({ owner }) => owner.kind === "Gateway");
  const accepted = sets.filter((set) =>
    listeners.some(
      ({ owner, isServed }) =>
        isServed && owner.kind === "ListenerSet" && keyOf(owner) === keyOf(set.metadata),
    ),
  );
  return [
    ...own.map((state) => listenerVerdict(object, gateway.metadata.generation, state)),
    {
      object,
      generation: gateway.metadata.generation,
      attachedListenerSets: accepted.length,
      conditions: [
        ...acceptance(own, refuseSpec(gateway)),
        ...(gateway.spec.tls?.backend ? [resolution(clientRefusal)] : []),
        ...insecureFallback(gateway),
      ],
    },
  ];
}

export function listenerSetVerdicts(
  set: ListenerSet,
  listeners: readonly ListenerState[],
): Verdict[] {
  const object = refOf("ListenerSet", set.metadata);
  const own = listeners.filter(
    ({ owner }) => owner.kind === "ListenerSet" && keyOf(owner) === keyOf(object),
  );
  const { generation } = set.metadata;
  return [
    ...own.map((state) => listenerVerdict(object, generation, state)),
    { object, generation, conditions: acceptance(own, undefined) },
  ];
}

function listenerVerdict(
  object: ObjectRef,
  generation: number | undefined,
  { listener, supportedKinds, conditions }: ListenerState,
): Verdict {
  return { object, generation, listener: listener.name, supportedKinds, conditions };
}

/**
 * Accepted when one listener is; the reason tells whether all are. A Gateway's listener may wait for
 * its certificate, a ListenerSet's must have it (as the conformance suite has it).
 */
function acceptance(
  listeners: readonly ListenerState[],
  refusal: Refusal | undefined,
): Condition[] {
  if (refusal) {
    return [fails("Accepted", refusal), fails("Programmed", { ...refusal, reason: "Invalid" })];
  }
  const served = listeners.filter(({ isServed }) => isServed);
  const accepted = listeners.filter(({ isAccepted, isServed, owner }) =>
    owner.kind === "Gateway" ? isAccepted : isServed,
  );
  const bad = listeners.filter(({ conditions }) => conditions.some(isBadNews));
  const names = bad.map(({ listener }) => listener.name).join(", ");
  if (accepted.length === 0) {
    const none = { reason: "ListenersNotValid", message: `no listener can be served: ${names}` };
    return [fails("Accepted", none), fails("Programmed", none)];
  }
  return [
    accepted.length === listeners.length
      ? holds("Accepted")
      : holds("Accepted", `not served: ${names}`, "ListenersNotValid"),
    served.length > 0
      ? holds("Programmed")
      : fails("Programmed", { reason: "Invalid", message: `not served: ${names}` }),
  ];
}

/** What the standard has for a whole Gateway and this one cannot do. */
function refuseSpec({ spec }: Gateway): Refusal | undefined {
  const odd = spec.addresses.find(({ type }) => type !== "IPAddress" && type !== "Hostname");
  if (odd) {
    const message = `addresses of type ${odd.type} are not supported; use IPAddress or Hostname`;
    return { reason: "UnsupportedAddress", message };
  }
  if (spec.infrastructure?.parametersRef) {
    const message = "infrastructure.parametersRef: this gateway takes no parameters";
    return { reason: "InvalidParameters", message };
  }
  return undefined;
}

function resolution(refusal: Refusal | undefined): Condition {
  return refusal ? fails("ResolvedRefs", refusal) : holds("ResolvedRefs");
}

function insecureFallback({ spec: { tls } }: Gateway): Condition[] {
  const frontends = [
    tls?.frontend?.default,
    ...(tls?.frontend?.perPort ?? []).map((one) => one.tls),
  ];
  return frontends.some((frontend) => frontend?.validation?.mode === "AllowInsecureFallback")
    ? [
        holds(
          "InsecureFrontendValidationMode",
          "AllowInsecureFallback lets in clients without a valid certificate",
          "ConfigurationChanged",
        ),
      ]
    : [];
}

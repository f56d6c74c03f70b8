import type { Gateway, ListenerSet } from "../snapshot/gateway.ts";
import { keyOf, type ObjectRef, refOf } from "../snapshot/metadata.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { Certificates } from "./certificates.ts";
import { takeListenerSets } from "./listener-sets.ts";
import { examineListeners, type ListenerState } from "./listeners.ts";
import type { Namespaces } from "./namespaces.ts";
import { olderFirst } from "./precedence.ts";
import { type Condition, fails, holds, isBadNews, type Refusal, type Verdict } from "./verdict.ts";

/** Which Gateways are ours, and which of their listeners can be served. */

export const CONTROLLER_NAME = "gateway.portico.dev/controller";

export interface OurGateway {
  readonly gateway: Gateway;
  readonly key: string;
  /** Its own and those of its ListenerSets, also those that cannot be served. */
  readonly listeners: readonly ListenerState[];
  /** Of its listeners, each port and the one that is bound for it. */
  readonly socketPorts: ReadonlyMap<number, number>;
  /** Shown to backends that ask for one; the name of a secret. */
  readonly clientCertificate?: string;
}

export interface Gateways {
  readonly ours: readonly OurGateway[];
  /** `kind namespace/name` of what a route may name as its parent and finds here. */
  readonly parents: ReadonlyMap<string, Parent>;
  /** Gateways of other controllers, which routes may name without being wrong. */
  readonly foreign: ReadonlySet<string>;
  readonly verdicts: readonly Verdict[];
}

/** A Gateway or a ListenerSet, with the listeners that are its own. */
export interface Parent {
  readonly gateway: OurGateway;
  readonly listeners: readonly ListenerState[];
}

/**
 * Which port of the machine stands for a port of a Gateway. On a laptop it is the same one; where
 * Gateways have addresses of their own it is any that no other one has.
 */
export type SocketPortOf = (
  gatewayKey: string,
  port: number,
  isTaken: (socketPort: number) => boolean,
) => number;

export const samePort: SocketPortOf = (_gatewayKey, port) => port;

export interface Surveyors {
  readonly certificates: Certificates;
  readonly namespaces: Namespaces;
  readonly socketPortOf: SocketPortOf;
}

export function acceptGateways(snapshot: Snapshot, surveyors: Surveyors): Gateways {
  const ours: OurGateway[] = [];
  const foreign = new Set<string>();
  const verdicts: Verdict[] = classVerdicts(snapshot);
  const classes = ourClasses(snapshot);
  const takenSockets = new Map<number, string>();
  const sets = takeListenerSets(snapshot, classes, surveyors.namespaces);

  for (const gateway of [...snapshot.gateways].sort((a, b) => olderFirst(a.metadata, b.metadata))) {
    const key = keyOf(gateway.metadata);
    if (!classes.has(gateway.spec.gatewayClassName)) {
      foreign.add(key);
      continue;
    }
    const attached = sets.of(key);
    const listeners = examineListeners(
      gateway,
      [
        { object: refOf("Gateway", gateway.metadata), listeners: gateway.spec.listeners },
        ...attached.map((set) => ({
          object: refOf("ListenerSet", set.metadata),
          listeners: set.spec.listeners,
        })),
      ],
      socketsOf(key, takenSockets, surveyors.socketPortOf),
      surveyors.certificates,
    );
    const client = clientCertificateOf(gateway, surveyors.certificates);
    const our = {
      gateway,
      key,
      listeners,
      socketPorts: new Map(
        listeners.map(({ listener, socketPort }) => [listener.port, socketPort]),
      ),
      ...(client && "name" in client && { clientCertificate: client.name }),
    };
    ours.push(our);
    verdicts.push(
      ...gatewayVerdicts(our, client && "reason" in client ? client : undefined, attached),
      ...attached.flatMap((set) => listenerSetVerdicts(set, listeners)),
    );
  }
  return { ours, parents: parentsOf(ours), foreign, verdicts: [...verdicts, ...sets.verdicts] };
}

function ourClasses(snapshot: Snapshot): ReadonlySet<string> {
  return new Set(
    snapshot.gatewayClasses
      .filter(({ spec }) => spec.controllerName === CONTROLLER_NAME)
      .map(({ metadata }) => metadata.name),
  );
}

export function isOurClass(snapshot: Snapshot, name: string): boolean {
  return ourClasses(snapshot).has(name);
}

function classVerdicts(snapshot: Snapshot): Verdict[] {
  const classes = snapshot.gatewayClasses.filter(
    ({ spec }) => spec.controllerName === CONTROLLER_NAME,
  );
  return classes.map(({ metadata, spec }) => ({
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

/** The socket of each of a Gateway's ports, or that another Gateway has it. */
function socketsOf(key: string, taken: Map<number, string>, socketPortOf: SocketPortOf) {
  const own = new Map<number, number | Refusal>();
  return (port: number): number | Refusal => {
    const known = own.get(port);
    if (known !== undefined) {
      return known;
    }
    const socketPort = socketPortOf(key, port, (candidate) => taken.has(candidate));
    const owner = taken.get(socketPort);
    const outcome =
      owner === undefined
        ? socketPort
        : { reason: "PortUnavailable", message: `Gateway ${owner} listens on ${port}` };
    if (owner === undefined) {
      taken.set(socketPort, key);
    }
    own.set(port, outcome);
    return outcome;
  };
}

function clientCertificateOf({ metadata, spec }: Gateway, certificates: Certificates) {
  const ref = spec.tls?.backend?.clientCertificateRef;
  if (!ref) {
    return undefined;
  }
  const from = {
    group: "gateway.networking.k8s.io",
    kind: "Gateway",
    namespace: metadata.namespace,
  };
  const outcome = certificates.ownCertificate(ref, from);
  return "reason" in outcome && outcome.reason === "InvalidCertificateRef"
    ? { ...outcome, reason: "InvalidClientCertificateRef" }
    : outcome;
}

function parentsOf(ours: readonly OurGateway[]): Map<string, Parent> {
  const parents = new Map<string, Parent>();
  for (const gateway of ours) {
    parents.set(parentKey({ kind: "Gateway", ...gateway.gateway.metadata }), {
      gateway,
      listeners: gateway.listeners.filter(({ owner }) => owner.kind === "Gateway"),
    });
    for (const listener of gateway.listeners.filter(({ owner }) => owner.kind !== "Gateway")) {
      const key = parentKey(listener.owner);
      const earlier = parents.get(key)?.listeners ?? [];
      parents.set(key, { gateway, listeners: [...earlier, listener] });
    }
  }
  return parents;
}

export function parentKey({ kind, namespace, name }: ObjectRef): string {
  return `${kind} ${namespace}/${name}`;
}

function gatewayVerdicts(
  { gateway, listeners }: OurGateway,
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

function listenerSetVerdicts(set: ListenerSet, listeners: readonly ListenerState[]): Verdict[] {
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

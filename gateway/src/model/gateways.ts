import type { Gateway } from "../snapshot/gateway.ts";
import { keyOf, type ObjectRef, refOf } from "../snapshot/metadata.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { Certificates } from "./certificates.ts";
import { classVerdicts, gatewayVerdicts, listenerSetVerdicts } from "./gateway-verdicts.ts";
import { takeListenerSets } from "./listener-sets.ts";
import { examineListeners, type ListenerState } from "./listeners.ts";
import type { Namespaces } from "./namespaces.ts";
import { olderFirst } from "./precedence.ts";
import type { Refusal, Verdict } from "./verdict.ts";

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
  /** `kind namespace/name` of what other controllers have, which routes may name without being wrong. */
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
  const classes = ourClasses(snapshot);
  const verdicts: Verdict[] = classVerdicts(snapshot, classes);
  const takenSockets = new Map<number, string>();
  const sets = takeListenerSets(snapshot, classes, surveyors.namespaces);
  const foreign = new Set(
    sets.foreign.map(({ metadata }) => parentKey(refOf("ListenerSet", metadata))),
  );

  for (const gateway of [...snapshot.gateways].sort((a, b) => olderFirst(a.metadata, b.metadata))) {
    const key = keyOf(gateway.metadata);
    if (!classes.has(gateway.spec.gatewayClassName)) {
      foreign.add(parentKey(refOf("Gateway", gateway.metadata)));
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

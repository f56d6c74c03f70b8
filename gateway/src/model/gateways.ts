import type { Gateway, GatewayListener } from "../snapshot/gateway-api.ts";
import { keyOf, refOf } from "../snapshot/metadata.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { ANY_HOST } from "./hostnames.ts";
import { olderFirst } from "./precedence.ts";
import { fails, holds, type Refusal, type Verdict } from "./verdict.ts";

/** Which Gateways are ours, and which of their listeners can be served. */

export const CONTROLLER_NAME = "gateway.portico.dev/controller";

export interface AcceptedGateway {
  readonly gateway: Gateway;
  readonly key: string;
  readonly listeners: readonly AcceptedListener[];
}

export interface AcceptedListener {
  readonly listener: GatewayListener;
  readonly hostname: string;
}

export interface Gateways {
  readonly accepted: readonly AcceptedGateway[];
  /** Keys of Gateways of other controllers, which routes may name without being wrong. */
  readonly foreign: ReadonlySet<string>;
  readonly verdicts: readonly Verdict[];
}

export function acceptGateways(snapshot: Snapshot): Gateways {
  const classes = snapshot.gatewayClasses.filter(
    (gatewayClass) => gatewayClass.spec.controllerName === CONTROLLER_NAME,
  );
  const ours = new Set(classes.map((gatewayClass) => gatewayClass.metadata.name));
  const verdicts: Verdict[] = classes.map(({ metadata }) => ({
    object: refOf("GatewayClass", metadata),
    generation: metadata.generation,
    conditions: [holds("Accepted")],
  }));

  const accepted: AcceptedGateway[] = [];
  const foreign = new Set<string>();
  const ports = new Map<number, string>();
  for (const gateway of [...snapshot.gateways].sort((a, b) => olderFirst(a.metadata, b.metadata))) {
    const key = keyOf(gateway.metadata);
    if (!ours.has(gateway.spec.gatewayClassName)) {
      foreign.add(key);
      continue;
    }
    const listeners: AcceptedListener[] = [];
    for (const listener of gateway.spec.listeners) {
      const hostname = listener.hostname ?? ANY_HOST;
      const refusal = refuseListener({ listener, hostname }, listeners, ports, key);
      verdicts.push(listenerVerdict(gateway, listener, refusal));
      if (!refusal) {
        ports.set(listener.port, key);
        listeners.push({ listener, hostname });
      }
    }
    verdicts.push(gatewayVerdict(gateway, listeners.length));
    accepted.push({ gateway, key, listeners });
  }
  return { accepted, foreign, verdicts };
}

/** All of a Gateway's listeners on one port share a socket, and no other Gateway has it. */
function refuseListener(
  { listener, hostname }: AcceptedListener,
  earlier: readonly AcceptedListener[],
  ports: ReadonlyMap<number, string>,
  key: string,
): Refusal | undefined {
  if (listener.protocol !== "HTTP") {
    const message = `protocol ${listener.protocol} is not supported; use HTTP`;
    return { reason: "UnsupportedProtocol", message };
  }
  if (listener.allowedRoutes.namespaces.from === "Selector") {
    const message = "allowedRoutes.namespaces.from Selector is not supported; use Same or All";
    return { reason: "UnsupportedValue", message };
  }
  const kinds = listener.allowedRoutes.kinds;
  if (kinds && !kinds.some(({ kind }) => kind === "HTTPRoute")) {
    return { reason: "InvalidRouteKinds", message: "HTTPRoute is the only kind that is supported" };
  }
  const owner = ports.get(listener.port);
  if (owner !== undefined && owner !== key) {
    return { reason: "PortUnavailable", message: `Gateway ${owner} listens on ${listener.port}` };
  }
  const twin = earlier.find(
    (other) => other.listener.port === listener.port && other.hostname === hostname,
  );
  if (twin) {
    const message = `listener ${twin.listener.name} has the same port and hostname`;
    return { reason: "HostnameConflict", message };
  }
  return undefined;
}

function listenerVerdict(
  { metadata }: Gateway,
  listener: GatewayListener,
  refusal: Refusal | undefined,
): Verdict {
  return {
    object: refOf("Gateway", metadata),
    generation: metadata.generation,
    listener: listener.name,
    conditions: refusal
      ? [fails("Accepted", refusal), fails("Programmed", { reason: "Invalid", message: "" })]
      : [holds("Accepted"), holds("Programmed"), holds("ResolvedRefs")],
  };
}

function gatewayVerdict({ metadata }: Gateway, served: number): Verdict {
  const refusal = { reason: "ListenersNotValid", message: "no listener can be served" };
  return {
    object: refOf("Gateway", metadata),
    generation: metadata.generation,
    conditions:
      served > 0
        ? [holds("Accepted"), holds("Programmed")]
        : [fails("Accepted", refusal), fails("Programmed", { reason: "Invalid", message: "" })],
  };
}

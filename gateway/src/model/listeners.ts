import type { Gateway, GatewayListener } from "../snapshot/gateway.ts";
import { GATEWAY_GROUP } from "../snapshot/gateway-api.ts";
import type { ObjectRef } from "../snapshot/metadata.ts";
import type { Certificates } from "./certificates.ts";
import { ANY_HOST } from "./hostnames.ts";
import { type ListenerTls, resolveListenerTls } from "./listener-tls.ts";
import type { ServerTls } from "./model.ts";
import { type Condition, fails, holds, type Refusal, type RouteKind } from "./verdict.ts";

/**
 * Each listener of one Gateway, judged beside the others: whether it can be told apart from them, what
 * may attach to it, and whether it can be served.
 */
export interface ListenerState {
  readonly listener: GatewayListener;
  /** The Gateway, or the ListenerSet that brought it. */
  readonly owner: ObjectRef;
  readonly hostname: string;
  readonly socketPort: number;
  readonly supportedKinds: readonly RouteKind[];
  readonly isAccepted: boolean;
  /** Accepted, and with all it needs to take a connection. */
  readonly isServed: boolean;
  readonly tls?: ServerTls;
  readonly conditions: readonly Condition[];
}

export interface ListenerGroup {
  readonly object: ObjectRef;
  readonly listeners: readonly GatewayListener[];
}

const ROUTE_KINDS: Readonly<Record<string, readonly string[]>> = {
  HTTP: ["HTTPRoute", "GRPCRoute"],
  HTTPS: ["HTTPRoute", "GRPCRoute"],
};

/** The standard's protocols that would have a TCP port for themselves. */
const OTHER_PROTOCOLS = ["TCP", "TLS"];

export function examineListeners(
  gateway: Gateway,
  groups: readonly ListenerGroup[],
  socketOf: (port: number) => number | Refusal,
  certificates: Certificates,
): ListenerState[] {
  const states: ListenerState[] = [];
  for (const { object, listeners } of groups) {
    const earlier = states.filter(({ isAccepted }) => isAccepted).map(({ listener }) => listener);
    for (const listener of listeners) {
      const siblings = listeners.filter((other) => other !== listener && isSupported(other));
      const conflict =
        conflictWith(listener, isSupported(listener) ? siblings : []) ??
        conflictWith(listener, [...earlier, ...(isSupported(listener) ? [] : siblings)]);
      const tls = resolveListenerTls(listener, object, gateway, certificates);
      const socket = socketOf(listener.port);
      const refusal = conflict ?? refuseListener(listener, socket) ?? tls.refusal;
      states.push(
        stateOf(listener, object, tls, typeof socket === "number" ? socket : 0, {
          conflict,
          refusal,
        }),
      );
    }
  }
  return states;
}

function isSupported({ protocol }: GatewayListener): boolean {
  return protocol in ROUTE_KINDS;
}

/** Of listeners that cannot be told apart none is served, unless one was there before. */
function conflictWith(
  listener: GatewayListener,
  others: readonly GatewayListener[],
): Refusal | undefined {
  if (!isSupported(listener) && !OTHER_PROTOCOLS.includes(listener.protocol)) {
    return undefined;
  }
  const beside = others.filter(({ port }) => port === listener.port);
  const differing = beside.find(({ protocol }) => protocol !== listener.protocol);
  if (differing) {
    const message = `listener ${differing.name} has port ${listener.port} for ${differing.protocol}`;
    return { reason: "ProtocolConflict", message };
  }
  const twin = beside.find((other) => hostnameOf(other) === hostnameOf(listener));
  if (twin) {
    const message = `listener ${twin.name} has the same port and hostname`;
    return { reason: "HostnameConflict", message };
  }
  return undefined;
}

function hostnameOf({ hostname }: GatewayListener): string {
  return hostname || ANY_HOST;
}

function refuseListener(
  { protocol, tls }: GatewayListener,
  socket: number | Refusal,
): Refusal | undefined {
  if (!(protocol in ROUTE_KINDS)) {
    const message = `protocol ${protocol} is not supported; use HTTP or HTTPS`;
    return { reason: "UnsupportedProtocol", message };
  }
  if (protocol === "HTTPS" && tls?.mode === "Passthrough") {
    const message = "tls.mode Passthrough is not supported; use Terminate";
    return { reason: "UnsupportedValue", message };
  }
  return typeof socket === "number" ? undefined : socket;
}

function kindsOf({ protocol, allowedRoutes }: GatewayListener) {
  const served = ROUTE_KINDS[protocol] ?? [];
  const asked = allowedRoutes.kinds ?? served.map((kind) => ({ group: GATEWAY_GROUP, kind }));
  const isKnown = ({ group, kind }: RouteKind) => group === GATEWAY_GROUP && served.includes(kind);
  return {
    supportedKinds: asked.filter(isKnown),
    invalid: asked.filter((kind) => !isKnown(kind)),
    served,
  };
}

function stateOf(
  listener: GatewayListener,
  owner: ObjectRef,
  tls: ListenerTls,
  socketPort: number,
  { conflict, refusal }: { conflict: Refusal | undefined; refusal: Refusal | undefined },
): ListenerState {
  const { supportedKinds, invalid, served } = kindsOf(listener);
  const unresolved =
    invalid.length > 0
      ? {
          reason: "InvalidRouteKinds",
          message: `${invalid.map(({ kind }) => kind).join(", ")} cannot attach here; ${served.join(", ") || "no kind"} can`,
        }
      : tls.unresolved;
  const isServed =
    !refusal &&
    supportedKinds.length > 0 &&
    (listener.protocol === "HTTP" || tls.server !== undefined);
  return {
    listener,
    owner,
    hostname: hostnameOf(listener),
    socketPort,
    supportedKinds,
    isAccepted: !refusal,
    isServed,
    ...(tls.server && { tls: tls.server }),
    conditions: [
      refusal ? fails("Accepted", refusal) : holds("Accepted"),
      isServed
        ? holds("Programmed")
        : fails(
            "Programmed",
            conflict ?? { reason: "Invalid", message: (refusal ?? unresolved)?.message ?? "" },
          ),
      unresolved ? fails("ResolvedRefs", unresolved) : holds("ResolvedRefs"),
      conflict
        ? { type: "Conflicted", status: "True", ...conflict }
        : fails("Conflicted", { reason: "NoConflicts", message: "" }),
    ],
  };
}

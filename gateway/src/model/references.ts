import type { Service } from "../snapshot/core.ts";
import type { BackendRef } from "../snapshot/gateway-api.ts";
import { keyOf } from "../snapshot/metadata.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { BackendTlsPolicies } from "./backend-tls.ts";
import { type Referrer, refuseReference } from "./grants.ts";
import type { Backend, BackendTls } from "./model.ts";
import { resourceName } from "./resource-name.ts";
import type { Traffic } from "./traffic.ts";
import type { Refusal } from "./verdict.ts";

/** Follows backendRefs to Services, across namespaces only when granted. */
export interface References {
  resolve(ref: BackendRef, from: Referrer, use?: Use): Resolved | Refusal;
}

/** What the referrer needs of a backend, beyond what its Service says. */
export interface Use {
  readonly isGrpc?: boolean;
  /** The name of a secret, for a backend that is spoken to by TLS. */
  readonly clientCertificate?: string | undefined;
  /** `namespace/name` of the Gateway that it is for. */
  readonly gatewayKey?: string | undefined;
  /** Told of every Service that was found, usable or not. */
  readonly note?: (visit: Visit) => void;
}

/** What a reference has led to. */
export interface Visit {
  /** `namespace/name` of the Service. */
  readonly service: string;
  readonly gateway: string | undefined;
  readonly backend?: BackendPlan;
}

/** A backend without its endpoints, which come and go. */
export interface BackendPlan extends Omit<Backend, "endpoints"> {
  readonly service: string;
  readonly portName: string;
}

export interface Resolved {
  readonly backend: BackendPlan;
  /** `service.namespace.svc:port`, what a request from the gateway itself has as its Host. */
  readonly authority: string;
  readonly isWebSocket: boolean;
}

interface Found {
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly port: Service["spec"]["ports"][number];
}

export function isRefusal(outcome: Resolved | Refusal): outcome is Refusal {
  return "reason" in outcome;
}

export function followReferences(
  snapshot: Snapshot,
  tlsPolicies: BackendTlsPolicies,
  traffic: Pick<Traffic, "ofService">,
): References {
  const services = new Map(snapshot.services.map((service) => [keyOf(service.metadata), service]));
  const plans = new Map<string, BackendPlan>();

  function find(ref: BackendRef, from: Referrer): Found | Refusal {
    if (ref.group !== "" || ref.kind !== "Service") {
      return { reason: "InvalidKind", message: `${ref.kind} is not a backend; name a Service` };
    }
    const namespace = ref.namespace ?? from.namespace;
    const key = keyOf({ namespace, name: ref.name });
    const denied = refuseReference(snapshot, from, { ...ref, namespace });
    if (denied) {
      return denied;
    }
    const service = services.get(key);
    if (!service) {
      return { reason: "BackendNotFound", message: `there is no Service ${key}` };
    }
    const port = service.spec.ports.find((port) => port.port === ref.port);
    if (!port || service.spec.type === "ExternalName") {
      return { reason: "BackendNotFound", message: describePorts(service, key, ref.port) };
    }
    return { key, namespace, name: ref.name, port };
  }

  return {
    resolve(ref, from, use = {}) {
      const found = find(ref, from);
      if ("reason" in found) {
        return found;
      }
      const { key, namespace, name, port } = found;
      const tls = tlsPolicies.of(key, port.name ?? "");
      const protocol = PROTOCOLS[port.appProtocol ?? ""] ?? OTHER_PROTOCOL;
      const visit = { service: key, gateway: use.gatewayKey };
      if (tls === "broken") {
        use.note?.(visit);
        const message = `no BackendTLSPolicy of Service ${key} can be used`;
        return { reason: "InvalidBackendTLSPolicy", message };
      }
      if (!protocol.isKnown(tls !== undefined)) {
        use.note?.(visit);
        const message = `Service ${key} speaks ${port.appProtocol}: ${protocol.hint}`;
        return { reason: "UnsupportedProtocol", message };
      }
      const variant = variantOf(protocol, tls, use);
      const backendName = resourceName(namespace, name, port.port, ...variant.suffix);
      const asked = traffic.ofService(key);
      const backend = plans.get(backendName) ?? {
        ...{ name: backendName, service: key, portName: port.name ?? "" },
        ...variant.settings,
        ...(asked && { traffic: asked }),
      };
      plans.set(backendName, backend);
      use.note?.({ ...visit, backend });
      return {
        backend,
        authority: `${name}.${namespace}.svc:${port.port}`,
        isWebSocket: protocol.isWebSocket,
      };
    },
  };
}

/** One port of a Service is spoken to in several ways when those who use it differ. */
function variantOf(
  { isHttp2 }: Protocol,
  tls: BackendTls | undefined,
  { isGrpc = false, clientCertificate }: Use,
): { suffix: string[]; settings: Pick<Backend, "protocol" | "tls"> } {
  const shown = tls && clientCertificate !== undefined ? { clientCertificate } : undefined;
  return {
    suffix: [...(isGrpc && !isHttp2 ? ["grpc"] : []), ...(shown ? [shown.clientCertificate] : [])],
    settings: {
      ...((isHttp2 || isGrpc) && { protocol: "http2" }),
      ...(tls && { tls: { ...tls, ...shown } }),
    },
  };
}

interface Protocol {
  readonly isHttp2: boolean;
  readonly isWebSocket: boolean;
  isKnown(byTls: boolean): boolean;
  readonly hint: string;
}

const always = () => true;
const http1 = { isHttp2: false, isWebSocket: false, isKnown: always, hint: "" };
const http2 = { ...http1, isHttp2: true };
const webSocket = { ...http1, isWebSocket: true };
const onlyByTls = {
  isKnown: (byTls: boolean) => byTls,
  hint: "write a BackendTLSPolicy for it",
};

/** KEP-3726 and GEP-1911, and the names that Services had for HTTP/2 before those. */
const PROTOCOLS: Readonly<Record<string, Protocol>> = {
  "kubernetes.io/h2c": http2,
  grpc: http2,
  "kubernetes.io/ws": webSocket,
  "kubernetes.io/wss": { ...webSocket, ...onlyByTls },
  https: { ...http1, ...onlyByTls },
};

/** Whatever it is, it is routed to as HTTP, so it will be. */
const OTHER_PROTOCOL: Protocol = http1;

function describePorts(service: Service, key: string, port: number | undefined): string {
  if (service.spec.type === "ExternalName") {
    return `Service ${key} is an ExternalName, which has no endpoints`;
  }
  const ports = service.spec.ports.map((port) => port.port).join(", ") || "none";
  return `Service ${key} has no port ${port ?? "(none named)"}; its ports: ${ports}`;
}

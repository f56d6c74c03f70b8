import { createHash } from "node:crypto";
import type { Address } from "../model/verdict.ts";

/**
 * The Service that is a Gateway's address: clients see the ports of its listeners, the fleet's pods
 * have others. It lives beside the fleet, because a selector does not reach across namespaces.
 */
export interface GatewayService {
  readonly metadata: ServiceMetadata;
  readonly spec: {
    readonly type: ServiceType;
    readonly selector: Readonly<Record<string, string>>;
    readonly ports: readonly ServicePort[];
    /** The client's address reaches Envoy only without a second hop between nodes. */
    readonly externalTrafficPolicy?: "Local";
  };
}

/** A name in the Gateway's own namespace that leads to it. */
export interface GatewayAlias {
  readonly metadata: ServiceMetadata;
  readonly spec: { readonly type: "ExternalName"; readonly externalName: string };
}

export interface ServiceMetadata {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ServicePort {
  readonly name: string;
  readonly port: number;
  readonly targetPort: number;
  readonly protocol: "TCP";
}

export type ServiceType = "ClusterIP" | "NodePort" | "LoadBalancer";

export interface Fleet {
  readonly namespace: string;
  /** Labels of Envoy's pods. */
  readonly selector: Readonly<Record<string, string>>;
  readonly serviceType: ServiceType;
  /** Of names inside the cluster. With it, Gateways have aliases, and the controller needs the right to make them. */
  readonly aliasDomain?: string;
}

export interface ServedGateway {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Each port that clients see, with the one that Envoy binds. */
  readonly ports: readonly { readonly port: number; readonly socketPort: number }[];
}

export const MANAGED_BY = "app.kubernetes.io/managed-by";
export const CONTROLLER = "portico-gateway";
const GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name";
const GATEWAY_NAMESPACE = "gateway.portico.dev/gateway-namespace";
const SERVICE_TYPE = "gateway.portico.dev/service-type";
const TYPES: readonly string[] = ["ClusterIP", "NodePort", "LoadBalancer"] satisfies ServiceType[];

export function serviceOf(gateway: ServedGateway, fleet: Fleet): GatewayService {
  const { [SERVICE_TYPE]: asked = "", ...annotations } = gateway.annotations;
  const type = TYPES.includes(asked) ? (asked as ServiceType) : fleet.serviceType;
  return {
    metadata: {
      name: nameOf("gateway", gateway.namespace, gateway.name),
      namespace: fleet.namespace,
      labels: {
        ...gateway.labels,
        [MANAGED_BY]: CONTROLLER,
        [GATEWAY_NAME]: gateway.name,
        [GATEWAY_NAMESPACE]: gateway.namespace,
      },
      annotations,
    },
    spec: {
      type,
      selector: fleet.selector,
      ports: [...gateway.ports]
        .sort((a, b) => a.port - b.port)
        .map(({ port, socketPort }) => ({
          ...{ name: `port-${port}`, port, targetPort: socketPort, protocol: "TCP" as const },
        })),
      ...(type !== "ClusterIP" && { externalTrafficPolicy: "Local" as const }),
    },
  };
}

export function aliasOf(
  { namespace, name }: ServedGateway,
  service: GatewayService,
  domain: string,
): GatewayAlias {
  const { labels, annotations } = service.metadata;
  const externalName = `${service.metadata.name}.${service.metadata.namespace}.svc.${domain}`;
  return {
    metadata: { name: nameOf("gateway", name), namespace, labels, annotations },
    spec: { type: "ExternalName", externalName },
  };
}

/** The Gateway, by the labels of its Service; `namespace/name`. */
export function gatewayOf(labels: Readonly<Record<string, string>>): string {
  return `${labels[GATEWAY_NAMESPACE]}/${labels[GATEWAY_NAME]}`;
}

const LONGEST_NAME = 63;

/** A Service's name is a DNS label. The hash keeps `a-b/c` and `a/b-c` apart. */
function nameOf(...parts: readonly string[]): string {
  const readable = parts.join("-").replaceAll(".", "-");
  if (parts.length === 2 && readable.length <= LONGEST_NAME) {
    return readable;
  }
  const hash = createHash("sha256").update(parts.join("/")).digest("hex").slice(0, 8);
  return `${readable.slice(0, LONGEST_NAME - hash.length - 1).replace(/-$/, "")}-${hash}`;
}

/** A Service as the API server has it, in the parts that are looked at here. */
export interface LiveService {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly type?: string;
    readonly clusterIP?: string;
    readonly externalName?: string;
    readonly selector?: Readonly<Record<string, string>>;
    readonly ports?: readonly (Partial<ServicePort> & { readonly nodePort?: number })[];
    readonly externalTrafficPolicy?: string;
  };
  readonly status?: {
    readonly loadBalancer?: {
      readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[];
    };
  };
}

export function addressesOf({ spec, status }: LiveService): Address[] {
  if (spec.type === "LoadBalancer") {
    return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }): Address[] => {
      if (ip) {
        return [{ type: "IPAddress", value: ip }];
      }
      return hostname ? [{ type: "Hostname", value: hostname }] : [];
    });
  }
  return spec.clusterIP ? [{ type: "IPAddress", value: spec.clusterIP }] : [];
}

/** What must be changed of a Service that is there; undefined if nothing. Others' labels stay. */
export function changeOf(wanted: GatewayService, live: LiveService): object | undefined {
  const ports = wanted.spec.ports.map((port) => ({
    ...port,
    ...nodePortOf(live, port.port, wanted.spec.type),
  }));
  const hasEqual = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
  const isSame =
    hasAll(wanted.metadata.labels, live.metadata.labels) &&
    hasAll(wanted.metadata.annotations, live.metadata.annotations) &&
    live.spec.type === wanted.spec.type &&
    hasAll(wanted.spec.selector, live.spec.selector) &&
    Object.keys(live.spec.selector ?? {}).length === Object.keys(wanted.spec.selector).length &&
    hasEqual(ports.map(comparable), (live.spec.ports ?? []).map(comparable));
  if (isSame) {
    return undefined;
  }
  const { labels, annotations } = wanted.metadata;
  const { resourceVersion } = live.metadata;
  const { externalTrafficPolicy = null, ...spec } = wanted.spec;
  return {
    metadata: { resourceVersion, labels, annotations },
    spec: {
      ...spec,
      ports,
      selector: replaced(wanted.spec.selector, live.spec.selector),
      externalTrafficPolicy,
    },
  };
}

export function changeOfAlias(wanted: GatewayAlias, live: LiveService): object | undefined {
  const isSame =
    hasAll(wanted.metadata.labels, live.metadata.labels) &&
    hasAll(wanted.metadata.annotations, live.metadata.annotations) &&
    live.spec.externalName === wanted.spec.externalName;
  const { labels, annotations } = wanted.metadata;
  return isSame ? undefined : { metadata: { labels, annotations }, spec: wanted.spec };
}

function hasAll(
  some: Readonly<Record<string, string>>,
  all: Readonly<Record<string, string>> = {},
): boolean {
  return Object.entries(some).every(([key, value]) => all[key] === value);
}

/** A node port is chosen by the API server and stays, as people open it in firewalls. */
function nodePortOf(live: LiveService, port: number, type: ServiceType) {
  const nodePort = live.spec.ports?.find((one) => one.port === port)?.nodePort;
  return type !== "ClusterIP" && nodePort ? { nodePort } : {};
}

function comparable({ name, port, targetPort, protocol }: Partial<ServicePort>) {
  return [name, port, targetPort, protocol];
}

/** A merge patch takes a key away only by null. */
function replaced(
  wanted: Readonly<Record<string, string>>,
  live: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string | null>> {
  return { ...Object.fromEntries(Object.keys(live).map((key) => [key, null])), ...wanted };
}

import type { Kind } from "../snapshot/metadata.ts";
import { keepFields, type RawObject, withData, withSpec } from "./keep.ts";

/**
 * Where each kind is found on an API server, and what is kept of it. The first version that the server has is read, so
 * that older installations of the CRDs work too.
 */
export interface ApiResource {
  readonly group: string;
  readonly versions: readonly string[];
  readonly plural: string;
  readonly isNamespaced: boolean;
  /** Nothing is published before these are known. Of the others we may be told nothing: a CRD that is not installed, a role that does not reach that far. */
  readonly isNeeded: boolean;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
  /** Of this namespace alone. */
  readonly namespace?: string;
  /** Only what a schema reads: memory is counted per object. Undefined: the object is of no use here. */
  readonly keep: (object: RawObject) => object | undefined;
}

const GATEWAY_API = "gateway.networking.k8s.io";

function core(plural: string, keep: ApiResource["keep"]): ApiResource {
  const isNamespaced = plural !== "namespaces";
  return { group: "", versions: ["v1"], plural, isNamespaced, isNeeded: true, keep };
}

function gatewayApi(plural: string, versions: readonly string[] = ["v1"]): ApiResource {
  return { group: GATEWAY_API, versions, plural, ...custom, isNamespaced: true };
}

function policy(plural: string): ApiResource {
  return { group: "gateway.portico.dev", versions: ["v1alpha1"], plural, ...custom };
}

const custom = { isNamespaced: true, isNeeded: false, keep: withSpec } as const;

export const RESOURCES: Readonly<Record<Kind, ApiResource>> = {
  GatewayClass: { ...gatewayApi("gatewayclasses", ["v1", "v1beta1"]), isNamespaced: false },
  Gateway: gatewayApi("gateways", ["v1", "v1beta1"]),
  ListenerSet: gatewayApi("listenersets"),
  HTTPRoute: gatewayApi("httproutes", ["v1", "v1beta1"]),
  GRPCRoute: gatewayApi("grpcroutes"),
  BackendTLSPolicy: gatewayApi("backendtlspolicies"),
  ReferenceGrant: gatewayApi("referencegrants", ["v1", "v1beta1"]),
  Service: core(
    "services",
    keepFields({
      spec: { type: 1, externalName: 1, ports: [{ name: 1, port: 1, appProtocol: 1 }] },
    }),
  ),
  EndpointSlice: {
    ...{ group: "discovery.k8s.io", versions: ["v1"], plural: "endpointslices" },
    ...{ isNamespaced: true, isNeeded: true },
    keep: keepFields(
      {
        addressType: 1,
        endpoints: [{ addresses: 1, conditions: { ready: 1, serving: 1, terminating: 1 } }],
        ports: [{ name: 1, port: 1 }],
      },
      (label) => label === "kubernetes.io/service-name",
    ),
  },
  Namespace: core("namespaces", keepFields({})),
  ConfigMap: { ...core("configmaps", withData("ca.crt")), isNeeded: false },
  Secret: {
    ...core("secrets", withData("tls.crt", "tls.key", "ca.crt")),
    ...{ isNeeded: false, fieldSelector: "type=kubernetes.io/tls" },
  },
  JWTPolicy: policy("jwtpolicies"),
  RateLimitPolicy: policy("ratelimitpolicies"),
  TrafficPolicy: policy("trafficpolicies"),
  Mapping: {
    group: "getambassador.io",
    versions: ["v3alpha1", "v2"],
    plural: "mappings",
    ...custom,
  },
};

/** What narrows a list and a watch alike. */
export function selectorsOf({ fieldSelector, labelSelector }: ApiResource): Record<string, string> {
  return { ...(fieldSelector && { fieldSelector }), ...(labelSelector && { labelSelector }) };
}

/** The path of all objects of a kind, of those of one namespace, or of one of them. */
export function pathOf(
  resource: ApiResource,
  version: string,
  {
    namespace = resource.namespace ?? "",
    name = "",
  }: { readonly namespace?: string; readonly name?: string } = {},
): string {
  const root = resource.group === "" ? "/api" : `/apis/${resource.group}`;
  const within = resource.isNamespaced && namespace !== "" ? `/namespaces/${namespace}` : "";
  return `${root}/${version}${within}/${resource.plural}${name && `/${name}`}`;
}

export function apiVersionOf({ group }: ApiResource, version: string): string {
  return group === "" ? version : `${group}/${version}`;
}

import fc from "fast-check";
import { z } from "zod";
import { Mapping } from "../../gateway/src/snapshot/mapping.ts";
import { arbitraryOf, type Schema, type Words } from "./arbitrary.ts";

/** The kinds that the gateway reads, how odd ones are made, and where it says what became of one. */
export interface FuzzedKind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly isNamespaced: boolean;
  readonly tells: Tells;
}

/** `nothing`: Kubernetes gives objects of this kind no status, so only the gateway's log and `/status` tell. */
export type Tells = "conditions" | "parents" | "ancestors" | "mapping" | "events" | "nothing";

const GATEWAY_API = "gateway.networking.k8s.io/v1";
const OURS = "gateway.portico.dev/v1alpha1";
const one = (apiVersion: string, kind: string, plural: string, tells: Tells): FuzzedKind => ({
  ...{ apiVersion, kind, plural, tells },
  isNamespaced: kind !== "GatewayClass",
});

export const KINDS: readonly FuzzedKind[] = [
  one(GATEWAY_API, "HTTPRoute", "httproutes", "parents"),
  one(GATEWAY_API, "GRPCRoute", "grpcroutes", "parents"),
  one(GATEWAY_API, "Gateway", "gateways", "conditions"),
  one(GATEWAY_API, "ListenerSet", "listenersets", "conditions"),
  one(GATEWAY_API, "GatewayClass", "gatewayclasses", "conditions"),
  one(GATEWAY_API, "BackendTLSPolicy", "backendtlspolicies", "ancestors"),
  one(GATEWAY_API, "ReferenceGrant", "referencegrants", "nothing"),
  one(OURS, "JWTPolicy", "jwtpolicies", "ancestors"),
  one(OURS, "RateLimitPolicy", "ratelimitpolicies", "ancestors"),
  one(OURS, "TrafficPolicy", "trafficpolicies", "ancestors"),
  one("getambassador.io/v3alpha1", "Mapping", "mappings", "mapping"),
  one("v1", "Service", "services", "events"),
  one("v1", "Secret", "secrets", "nothing"),
  one("v1", "ConfigMap", "configmaps", "nothing"),
  one("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", "nothing"),
];

export const collectionOf = ({ apiVersion, plural, isNamespaced }: FuzzedKind, namespace: string) =>
  `${apiVersion === "v1" ? "/api" : "/apis"}/${apiVersion}${isNamespaced ? `/namespaces/${namespace}` : ""}/${plural}`;

const text = { type: "string" } as const;
const textMap = { type: "object", additionalProperties: text } as const;

/** Of kinds that Kubernetes itself defines only what the gateway reads is made odd. */
const CORE: Readonly<Record<string, Schema>> = {
  Service: {
    type: "object",
    required: ["spec"],
    properties: {
      spec: {
        type: "object",
        required: ["ports"],
        properties: {
          type: { enum: ["ClusterIP", "ClusterIP", "ExternalName"] },
          externalName: text,
          ports: {
            ...{ type: "array", minItems: 1, maxItems: 1 },
            items: {
              ...{ type: "object", required: ["port"] },
              properties: { port: { type: "integer", minimum: 1 }, appProtocol: text },
            },
          },
        },
      },
    },
  },
  Secret: {
    ...{ type: "object", required: ["type", "data"] },
    properties: {
      type: { const: "kubernetes.io/tls" },
      data: {
        ...{ type: "object", required: ["tls.crt", "tls.key"] },
        properties: { "tls.crt": text, "tls.key": text, "ca.crt": text },
      },
    },
  },
  ConfigMap: {
    ...{ type: "object", required: ["data"] },
    properties: { data: { type: "object", properties: { "ca.crt": text, other: text } } },
  },
  EndpointSlice: {
    ...{ type: "object", required: ["addressType", "endpoints"] },
    properties: {
      addressType: { enum: ["IPv4", "IPv4", "IPv6", "FQDN"] },
      endpoints: {
        type: "array",
        items: {
          ...{ type: "object", required: ["addresses"] },
          properties: {
            addresses: { type: "array", minItems: 1, items: text },
            conditions: { type: "object", properties: { ready: { type: "boolean" } } },
          },
        },
      },
      ports: {
        type: "array",
        items: {
          type: "object",
          properties: { name: text, port: { type: "integer", minimum: 0 } },
        },
      },
    },
  },
};

/** The Mapping's CRD is Emissary's and may be missing; what we read of it is written down in zod. */
const mappingSpec = () =>
  (z.toJSONSchema(Mapping, { io: "input", unrepresentable: "any" }) as Schema).properties?.spec;

/** @param spec of the kind's CRD, where it has one */
export function objectsOf(kind: FuzzedKind, spec: Schema | undefined, words: Words) {
  const specSchema = kind.kind === "Mapping" ? mappingSpec() : spec;
  const body = CORE[kind.kind] ?? {
    ...{ type: "object", required: ["spec"] },
    properties: { spec: specSchema ?? {} },
  };
  const annotations = fc.oneof(fc.constant({}), arbitraryOf(annotationsOf(kind), words));
  return fc.record({ body: arbitraryOf(body, words), annotations });
}

/** Those that the gateway reads, of each kind. */
function annotationsOf({ kind }: FuzzedKind): Schema {
  const names: Readonly<Record<string, readonly string[]>> = {
    Service: ["route", "gateway", "port"],
    Gateway: ["access", "service-type"],
  };
  const read = (names[kind] ?? []).map((name) => `gateway.portico.dev/${name}`);
  if (read.length === 0) return textMap;
  const properties = Object.fromEntries(read.map((name) => [name, text]));
  return { type: "object", required: read.slice(0, 1), properties };
}

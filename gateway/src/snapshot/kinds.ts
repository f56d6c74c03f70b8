import type { z } from "zod";
import { BackendTLSPolicy } from "./backend-tls-policy.ts";
import { ConfigMap, Secret } from "./certificates.ts";
import { EndpointSlice, Namespace, Service } from "./core.ts";
import { Gateway, GatewayClass, ListenerSet } from "./gateway.ts";
import { GRPCRoute } from "./grpc-route.ts";
import { HTTPRoute } from "./http-route.ts";
import { JWTPolicy } from "./jwt-policy.ts";
import { Mapping } from "./mapping.ts";
import type { Kind } from "./metadata.ts";
import { RateLimitPolicy } from "./rate-limit-policy.ts";
import { ReferenceGrant } from "./reference-grant.ts";
import { TrafficPolicy } from "./traffic-policy.ts";

/** Every kind that is read: in which versions, what it must look like, and the list it is in. */

const GATEWAY_API = /^gateway\.networking\.k8s\.io\/v1(beta1)?$/;
const GATEWAY_API_V1 = /^gateway\.networking\.k8s\.io\/v1$/;
const CORE = /^v1$/;
const OURS = /^gateway\.portico\.dev\/v1alpha1$/;

function kind<Schema extends z.ZodType, List extends string>(
  versions: RegExp,
  schema: Schema,
  list: List,
) {
  return { versions, schema, list };
}

export const KINDS = {
  GatewayClass: kind(GATEWAY_API, GatewayClass, "gatewayClasses"),
  Gateway: kind(GATEWAY_API, Gateway, "gateways"),
  ListenerSet: kind(GATEWAY_API_V1, ListenerSet, "listenerSets"),
  HTTPRoute: kind(GATEWAY_API, HTTPRoute, "httpRoutes"),
  GRPCRoute: kind(GATEWAY_API_V1, GRPCRoute, "grpcRoutes"),
  BackendTLSPolicy: kind(GATEWAY_API_V1, BackendTLSPolicy, "backendTlsPolicies"),
  ReferenceGrant: kind(GATEWAY_API, ReferenceGrant, "referenceGrants"),
  Service: kind(CORE, Service, "services"),
  EndpointSlice: kind(/^discovery\.k8s\.io\/v1$/, EndpointSlice, "endpointSlices"),
  Namespace: kind(CORE, Namespace, "namespaces"),
  Secret: kind(CORE, Secret, "secrets"),
  ConfigMap: kind(CORE, ConfigMap, "configMaps"),
  JWTPolicy: kind(OURS, JWTPolicy, "jwtPolicies"),
  RateLimitPolicy: kind(OURS, RateLimitPolicy, "rateLimitPolicies"),
  TrafficPolicy: kind(OURS, TrafficPolicy, "trafficPolicies"),
  Mapping: kind(/^getambassador\.io\/v(2|3alpha1)$/, Mapping, "mappings"),
} as const satisfies Readonly<Record<Kind, object>>;

type Table = typeof KINDS;

/** The lists, by their names, of objects that are valid. */
export type ObjectLists = {
  readonly [K in Kind as Table[K]["list"]]: readonly z.infer<Table[K]["schema"]>[];
};

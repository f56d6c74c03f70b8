import { z } from "zod";

/**
 * A name that becomes part of a file's name, a socket's or a cluster's. Kubernetes allows Gateways
 * 253 characters, which with namespace and port is more than a file system takes.
 */
export const Label = z
  .string()
  .max(63, "is longer than 63 characters")
  .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, "is not a Kubernetes name");

/** The parts of an object's metadata that any stage looks at. */
export const Metadata = z.object({
  name: z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, "is not a Kubernetes name"),
  namespace: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, "is not a namespace")
    .default(""),
  generation: z.number().int().optional(),
  creationTimestamp: z.coerce.string().nullish(),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
});

export type Metadata = z.infer<typeof Metadata>;

export const Kind = z.enum([
  "GatewayClass",
  "Gateway",
  "ListenerSet",
  "HTTPRoute",
  "GRPCRoute",
  "BackendTLSPolicy",
  "ReferenceGrant",
  "Service",
  "EndpointSlice",
  "Namespace",
  "Secret",
  "ConfigMap",
  "JWTPolicy",
  "RateLimitPolicy",
  "TrafficPolicy",
  "Mapping",
]);

export type Kind = z.infer<typeof Kind>;

/** Which object is meant, in a log line, a condition or a map. */
export interface ObjectRef {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export function refOf(kind: Kind, metadata: Metadata): ObjectRef {
  return { kind, namespace: metadata.namespace, name: metadata.name };
}

/** `namespace/name`, the key of an object among those of its kind. */
export function keyOf(object: { namespace: string; name: string }): string {
  return `${object.namespace}/${object.name}`;
}

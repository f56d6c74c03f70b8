import { z } from "zod";
import { ParentRef } from "./gateway-api.ts";
import { KINDS } from "./kinds.ts";
import { Kind, Metadata, type ObjectRef } from "./metadata.ts";
import { PolicyTargets } from "./policy-target.ts";

/**
 * One object, checked by itself. What it is found to be is remembered as long as the value lives: a
 * source hands on the same value until it changes, and most of the work of a rebuild would be here.
 */
export type Reading = {
  readonly object: ObjectRef;
  /** Two objects with the same one are one too many. */
  readonly key: string;
  readonly generation?: number;
} & (
  | { readonly kind: Kind; readonly parsed: unknown }
  | { readonly kind?: Kind; readonly refusal: ObjectRefusal }
);

export interface ObjectRefusal {
  readonly reason: "Invalid" | "UnknownKind";
  readonly message: string;
  /** Of a Gateway: other controllers' are none of our business, whatever they look like. */
  readonly gatewayClassName?: string;
  /** Of a route: who would be asked to take it. */
  readonly parentRefs?: readonly ParentRef[];
  /** Of a BackendTLSPolicy: whom it was for, who must not be spoken to as if there were none. */
  readonly services?: readonly { name: string; sectionName?: string }[];
  /** Of a JWTPolicy: what it targeted, which must not become more open than it would have been. */
  readonly targets?: readonly { kind: string; name: string; sectionName?: string }[];
  /** Of a policy: what it is attached to, where its status tells of it. */
  readonly ancestors?: readonly { kind: string; name: string; sectionName?: string }[];
}

/** By the namespace of an object that names none. */
const memories = new Map<string, WeakMap<object, Reading>>();

export function readObject(value: unknown, origin: string, defaultNamespace: string): Reading {
  if (typeof value !== "object" || value === null) {
    return inspect(value, origin, defaultNamespace);
  }
  const memory = memories.get(defaultNamespace) ?? new WeakMap<object, Reading>();
  memories.set(defaultNamespace, memory);
  const known = memory.get(value);
  if (known) {
    return known;
  }
  const reading = inspect(value, origin, defaultNamespace);
  memory.set(value, reading);
  return reading;
}

const Header = z.object({ apiVersion: z.string(), kind: z.string(), metadata: Metadata });

const WITHOUT_NAMESPACE: ReadonlySet<string> = new Set(["GatewayClass", "Namespace"]);

function inspect(value: unknown, origin: string, defaultNamespace: string): Reading {
  const header = Header.safeParse(value);
  if (!header.success) {
    return {
      object: { kind: "Object", namespace: "", name: origin },
      key: origin,
      refusal: { reason: "Invalid", message: explain(header.error) },
    };
  }
  const { apiVersion, kind: name, metadata } = header.data;
  const isHomeless = metadata.namespace === "" && !WITHOUT_NAMESPACE.has(name);
  const namespace = isHomeless ? defaultNamespace : metadata.namespace;
  const about = {
    object: { kind: name, namespace, name: metadata.name },
    key: `${name} ${namespace}/${metadata.name}`,
    ...(metadata.generation !== undefined && { generation: metadata.generation }),
  };
  const kind = Kind.safeParse(name).data;
  if (kind === undefined || !KINDS[kind].versions.test(apiVersion)) {
    const message = `${apiVersion} ${name} is not a kind that this gateway reads`;
    return { ...about, refusal: { reason: "UnknownKind", message } };
  }
  const placed = isHomeless ? inNamespace(value as { metadata: object }, namespace) : value;
  const outcome = KINDS[kind].schema.safeParse(placed);
  return outcome.success
    ? { ...about, kind, parsed: outcome.data }
    : { ...about, kind, refusal: refuse(kind, value, outcome.error) };
}

function inNamespace(value: { readonly metadata: object }, namespace: string): object {
  return { ...value, metadata: { ...value.metadata, namespace } };
}

function refuse(kind: Kind, value: unknown, error: z.ZodError): ObjectRefusal {
  return { reason: "Invalid", message: explain(error), ...concernsOf(kind, value) };
}

/** Whom it was written for, as far as that can be read. */
function concernsOf(kind: Kind, value: unknown): Omit<ObjectRefusal, "reason" | "message"> {
  switch (kind) {
    case "JWTPolicy":
      return { targets: targetsOf(value), ancestors: targetsOf(value) };
    case "BackendTLSPolicy":
      return {
        services: Targeting.safeParse(value).data?.spec.targetRefs,
        ancestors: targetsOf(value),
      };
    case "RateLimitPolicy":
    case "TrafficPolicy":
      return { ancestors: targetsOf(value) };
    case "Gateway":
      return { gatewayClassName: ClassNamed.safeParse(value).data?.spec.gatewayClassName };
    case "HTTPRoute":
    case "GRPCRoute":
      return { parentRefs: Attached.safeParse(value).data?.spec.parentRefs };
    default:
      return {};
  }
}

function targetsOf(value: unknown) {
  return PolicyTargets.safeParse(value).data?.spec.targetRefs;
}

const ClassNamed = z.object({ spec: z.object({ gatewayClassName: z.string() }) });
const Targeting = z.object({
  spec: z.object({
    targetRefs: z.array(z.object({ name: z.string(), sectionName: z.string().optional() })),
  }),
});
const Attached = z.object({ spec: z.object({ parentRefs: z.array(ParentRef) }) });

/** `spec.rules[0].timeouts.request is not a duration …`, one sentence for each mistake. */
function explain(error: z.ZodError): string {
  const sentences = error.issues.map((issue) => {
    const path = issue.path
      .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
      .join("")
      .slice(1);
    const message =
      issue.code === "unrecognized_keys"
        ? `has ${issue.keys.join(", ")}, which this gateway does not support`
        : issue.message;
    return `${path || "the object"}: ${message}`;
  });
  return sentences.join("; ");
}

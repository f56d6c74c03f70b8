import { z } from "zod";
import { BackendTLSPolicy } from "./backend-tls-policy.ts";
import { ConfigMap, Secret } from "./certificates.ts";
import { EndpointSlice, Namespace, Service } from "./core.ts";
import { Gateway, GatewayClass, ListenerSet } from "./gateway.ts";
import { ParentRef } from "./gateway-api.ts";
import { GRPCRoute } from "./grpc-route.ts";
import { HTTPRoute } from "./http-route.ts";
import { JWTPolicy, JWTPolicyTargets } from "./jwt-policy.ts";
import { Kind, Metadata, type ObjectRef } from "./metadata.ts";
import type { Listing, SourceObject } from "./object-source.ts";
import { ReferenceGrant } from "./reference-grant.ts";

/**
 * Everything the controller knows at one moment, checked object by object. Owns what an object may
 * look like; whether it makes sense beside the others is for the model.
 */
export interface Snapshot {
  readonly gatewayClasses: readonly GatewayClass[];
  readonly gateways: readonly Gateway[];
  readonly listenerSets: readonly ListenerSet[];
  readonly httpRoutes: readonly HTTPRoute[];
  readonly grpcRoutes: readonly GRPCRoute[];
  readonly backendTlsPolicies: readonly BackendTLSPolicy[];
  readonly referenceGrants: readonly ReferenceGrant[];
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
  readonly namespaces: readonly Namespace[];
  readonly secrets: readonly Secret[];
  readonly configMaps: readonly ConfigMap[];
  readonly jwtPolicies: readonly JWTPolicy[];
  readonly rejections: readonly Rejection[];
}

/** An object, or a whole file, that is left out, and what a person should change. */
export interface Rejection {
  readonly object: ObjectRef;
  readonly generation?: number;
  readonly origin: string;
  readonly reason: "Invalid" | "UnknownKind" | "Duplicate" | "Unreadable";
  readonly message: string;
  /** Of a Gateway: other controllers' are none of our business, whatever they look like. */
  readonly gatewayClassName?: string;
  /** Of a route: who would be asked to take it. */
  readonly parentRefs?: readonly ParentRef[];
  /** Of a JWTPolicy: what it targeted, which must not become more open than it would have been. */
  readonly targets?: readonly { kind: string; name: string; sectionName?: string }[];
}

const GROUPS: Readonly<Record<Kind, RegExp>> = {
  GatewayClass: /^gateway\.networking\.k8s\.io\/v1(beta1)?$/,
  Gateway: /^gateway\.networking\.k8s\.io\/v1(beta1)?$/,
  ListenerSet: /^gateway\.networking\.k8s\.io\/v1$/,
  HTTPRoute: /^gateway\.networking\.k8s\.io\/v1(beta1)?$/,
  GRPCRoute: /^gateway\.networking\.k8s\.io\/v1$/,
  BackendTLSPolicy: /^gateway\.networking\.k8s\.io\/v1$/,
  ReferenceGrant: /^gateway\.networking\.k8s\.io\/v1(beta1)?$/,
  Service: /^v1$/,
  EndpointSlice: /^discovery\.k8s\.io\/v1$/,
  Namespace: /^v1$/,
  Secret: /^v1$/,
  ConfigMap: /^v1$/,
  JWTPolicy: /^gateway\.portico\.dev\/v1alpha1$/,
};

const Header = z.object({ apiVersion: z.string(), kind: z.string(), metadata: Metadata });

type Draft = { -readonly [Part in keyof Snapshot]: Snapshot[Part][number][] };

/** How one object of each kind enters the snapshot. Throws a ZodError when it is not valid. */
const ADMIT: Readonly<Record<Kind, (draft: Draft, value: unknown) => void>> = {
  GatewayClass: (draft, value) => draft.gatewayClasses.push(GatewayClass.parse(value)),
  Gateway: (draft, value) => draft.gateways.push(Gateway.parse(value)),
  ListenerSet: (draft, value) => draft.listenerSets.push(ListenerSet.parse(value)),
  HTTPRoute: (draft, value) => draft.httpRoutes.push(HTTPRoute.parse(value)),
  GRPCRoute: (draft, value) => draft.grpcRoutes.push(GRPCRoute.parse(value)),
  BackendTLSPolicy: (draft, value) => draft.backendTlsPolicies.push(BackendTLSPolicy.parse(value)),
  ReferenceGrant: (draft, value) => draft.referenceGrants.push(ReferenceGrant.parse(value)),
  Service: (draft, value) => draft.services.push(Service.parse(value)),
  EndpointSlice: (draft, value) => draft.endpointSlices.push(EndpointSlice.parse(value)),
  Namespace: (draft, value) => draft.namespaces.push(Namespace.parse(value)),
  Secret: (draft, value) => draft.secrets.push(Secret.parse(value)),
  ConfigMap: (draft, value) => draft.configMaps.push(ConfigMap.parse(value)),
  JWTPolicy: (draft, value) => draft.jwtPolicies.push(JWTPolicy.parse(value)),
};

export function takeSnapshot(listing: Listing, defaultNamespace: string): Snapshot {
  const draft: Draft = {
    gatewayClasses: [],
    gateways: [],
    listenerSets: [],
    httpRoutes: [],
    grpcRoutes: [],
    backendTlsPolicies: [],
    referenceGrants: [],
    services: [],
    endpointSlices: [],
    namespaces: [],
    secrets: [],
    configMaps: [],
    jwtPolicies: [],
    rejections: listing.problems.map(({ origin, message }) => ({
      object: { kind: "File", namespace: "", name: origin },
      origin,
      reason: "Unreadable",
      message,
    })),
  };
  const origins = new Map<string, string>();
  for (const object of listing.objects) {
    const rejection = admit(draft, withNamespace(object, defaultNamespace), origins);
    if (rejection) {
      draft.rejections.push(rejection);
    }
  }
  return Object.freeze(draft);
}

function admit(
  draft: Draft,
  { origin, value }: SourceObject,
  origins: Map<string, string>,
): Rejection | undefined {
  const header = Header.safeParse(value);
  if (!header.success) {
    const object = { kind: "Object", namespace: "", name: origin };
    return { object, origin, reason: "Invalid", message: explain(header.error) };
  }
  const { apiVersion, kind, metadata } = header.data;
  const object = { kind, namespace: metadata.namespace, name: metadata.name };
  const reject = (reason: Rejection["reason"], message: string) => ({
    object,
    generation: metadata.generation,
    origin,
    reason,
    message,
  });

  const known = Kind.safeParse(kind);
  if (!known.success || !GROUPS[known.data].test(apiVersion)) {
    return reject("UnknownKind", `${apiVersion} ${kind} is not a kind that this gateway reads`);
  }
  const key = `${kind} ${metadata.namespace}/${metadata.name}`;
  const first = origins.get(key);
  if (first !== undefined) {
    return reject("Duplicate", `is defined in ${first} already; remove one of the two`);
  }
  origins.set(key, origin);
  try {
    ADMIT[known.data](draft, value);
    return undefined;
  } catch (error) {
    if (!(error instanceof z.ZodError)) {
      throw error;
    }
    return { ...reject("Invalid", explain(error)), ...concernsOf(known.data, value) };
  }
}

/** Of an object that is refused: whom it was written for, as far as that can be read. */
function concernsOf(
  kind: Kind,
  value: unknown,
): Pick<Rejection, "gatewayClassName" | "parentRefs" | "targets"> {
  switch (kind) {
    case "JWTPolicy":
      return { targets: JWTPolicyTargets.safeParse(value).data?.spec.targetRefs };
    case "Gateway":
      return { gatewayClassName: ClassNamed.safeParse(value).data?.spec.gatewayClassName };
    case "HTTPRoute":
    case "GRPCRoute":
      return { parentRefs: Attached.safeParse(value).data?.spec.parentRefs };
    default:
      return {};
  }
}

const ClassNamed = z.object({ spec: z.object({ gatewayClassName: z.string() }) });
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

function withNamespace(object: SourceObject, defaultNamespace: string): SourceObject {
  const header = Header.safeParse(object.value);
  if (!header.success || header.data.metadata.namespace !== "") {
    return object;
  }
  if (header.data.kind === "GatewayClass" || header.data.kind === "Namespace") {
    return object;
  }
  const value = object.value as { metadata: object };
  return {
    ...object,
    value: { ...value, metadata: { ...value.metadata, namespace: defaultNamespace } },
  };
}

import type { ParentRef } from "../snapshot/gateway-api.ts";
import type { GRPCRoute, GrpcMatch, GrpcRule } from "../snapshot/grpc-route.ts";
import type { HTTPRoute, HttpRule, RouteMatch } from "../snapshot/http-route.ts";
import type { Metadata } from "../snapshot/metadata.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { createListMemory } from "./remember.ts";

/** HTTPRoutes and GRPCRoutes in one form: a call by gRPC is a request for `/service/method`. */
export interface AnyRoute {
  readonly kind: "HTTPRoute" | "GRPCRoute" | "Mapping" | "Service";
  readonly metadata: Metadata;
  readonly parentRefs: readonly ParentRef[];
  readonly hostnames: readonly string[];
  readonly rules: readonly AnyRule[];
  /** Of a Mapping: the higher is tried first, whatever the paths; needs no token; its silence. */
  readonly precedence?: number;
  readonly isOpen?: boolean;
  readonly idleMs?: number;
  /** What is said of it when all is well. */
  readonly note?: string;
  /** Of a Service's annotation: between two matches that are alike, a route that was written out goes first. */
  readonly isImplied?: boolean;
}

/** A Mapping or an annotated Service goes where an HTTPRoute may go: it is one in other words. */
export function standardKindOf({ kind }: AnyRoute): "HTTPRoute" | "GRPCRoute" {
  return kind === "GRPCRoute" ? kind : "HTTPRoute";
}

export type AnyRule = Omit<HttpRule, "matches"> & { readonly matches: readonly AnyMatch[] };

export type AnyMatch = RouteMatch & {
  /** Of gRPC: what its precedence is decided by, before anything else. */
  readonly grpc?: { readonly serviceLength: number; readonly methodLength: number };
};

export function createRouteReader(): (snapshot: Snapshot) => AnyRoute[] {
  const readHttp = createListMemory<HTTPRoute, AnyRoute>();
  const readGrpc = createListMemory<GRPCRoute, AnyRoute>();
  return ({ httpRoutes, grpcRoutes }) => [
    ...readHttp(httpRoutes, [], httpRoute),
    ...readGrpc(grpcRoutes, [], grpcRoute),
  ];
}

function httpRoute({ metadata, spec }: HTTPRoute): AnyRoute {
  const { parentRefs, hostnames, rules } = spec;
  return { kind: "HTTPRoute", metadata, parentRefs, hostnames, rules };
}

function grpcRoute({ metadata, spec }: GRPCRoute): AnyRoute {
  const { parentRefs, hostnames } = spec;
  return { kind: "GRPCRoute", metadata, parentRefs, hostnames, rules: spec.rules.map(ruleOf) };
}

function ruleOf({ matches, ...rule }: GrpcRule): AnyRule {
  return { ...rule, timeouts: {}, matches: matches.map(matchOf) };
}

function matchOf({ method, headers }: GrpcMatch): AnyMatch {
  return {
    path: pathOf(method),
    headers,
    queryParams: [],
    grpc: {
      serviceLength: method?.service?.length ?? 0,
      methodLength: method?.method?.length ?? 0,
    },
  };
}

function pathOf(match: GrpcMatch["method"]): RouteMatch["path"] {
  if (match === undefined) {
    return { type: "PathPrefix", value: "/" };
  }
  const { type, service, method } = match;
  if (type === "Exact" && service !== undefined) {
    return method === undefined
      ? { type: "PathPrefix", value: `/${service}` }
      : { type: "Exact", value: `/${service}/${method}` };
  }
  const literal = (text: string) =>
    type === "Exact" ? text.replaceAll(".", "\\.") : `(?:${text})`;
  const part = (text: string | undefined) => (text === undefined ? "[^/]+" : literal(text));
  return { type: "RegularExpression", value: `/${part(service)}/${part(method)}` };
}

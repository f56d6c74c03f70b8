import { durationMs, GATEWAY_GROUP } from "../snapshot/gateway-api.ts";
import type { PathModifier, RequestMirror, RouteFilter } from "../snapshot/route-filters.ts";
import type { AnyRoute, AnyRule } from "./any-route.ts";
import type { OurGateway } from "./gateways.ts";
import type {
  Destination,
  HeaderChanges,
  Mirror,
  PathChange,
  RuleActions,
  Timeouts,
} from "./model.ts";
import { isRefusal, type References } from "./references.ts";
import type { Refusal } from "./verdict.ts";

/** What one rule does with its requests, its references followed and its filters read. */
export interface ResolvedRule {
  readonly actions: RuleActions;
  /** References that lead nowhere: their share of the requests is answered with 500. */
  readonly unresolved: readonly Refusal[];
  /** What the rule asks for that is not carried out: all its requests are answered with 500. */
  readonly unsupported?: string;
}

export function resolveRule(
  route: AnyRoute,
  rule: AnyRule,
  gateway: OurGateway,
  references: References,
): ResolvedRule {
  const unresolved: Refusal[] = [];
  const follow = (ref: Parameters<References["resolve"]>[0]) => {
    const outcome = references.resolve(
      ref,
      {
        group: route.kind === "Mapping" ? "getambassador.io" : GATEWAY_GROUP,
        kind: route.kind,
        namespace: route.metadata.namespace,
      },
      {
        isGrpc: route.kind === "GRPCRoute",
        clientCertificate: gateway.clientCertificate,
        gatewayKey: gateway.key,
      },
    );
    if (isRefusal(outcome)) {
      unresolved.push(outcome);
      return undefined;
    }
    return outcome;
  };
  const ownChanges = headerChanges(rule.filters);
  const found = rule.backendRefs.map(({ weight, filters, ...ref }): Destination => {
    const resolved = follow(ref);
    return {
      weight,
      ...(resolved && { backend: resolved.backend.name }),
      ...(resolved?.isWebSocket && { isWebSocket: true }),
      ...headerChanges(filters),
    };
  });
  const { destinations, ...changes } = inOnePlace(found, ownChanges);
  const mirrors = mirrorsOf(rule.filters).flatMap((mirror): Mirror[] => {
    const resolved = follow(mirror.backendRef);
    return resolved ? [{ backend: resolved.backend.name, share: shareOf(mirror) }] : [];
  });
  const unsupported = findUnsupported(rule);
  return {
    unresolved,
    ...(unsupported !== undefined && { unsupported }),
    actions: {
      timeouts: timeoutsOf(rule),
      destinations,
      ...(unsupported !== undefined && { isUnsupported: true }),
      ...changes,
      ...redirectOf(rule.filters),
      ...rewriteOf(rule.filters),
      ...(mirrors.length > 0 && { mirrors }),
      ...corsOf(rule.filters),
      ...retryOf(rule),
    },
  };
}

/** Filters of a backendRef that are more than headers would need a route of their own. */
const ON_BACKENDS = ["RequestHeaderModifier", "ResponseHeaderModifier"];

function findUnsupported(rule: AnyRule): string | undefined {
  if (rule.sessionPersistence !== undefined) {
    return "sessionPersistence is not supported";
  }
  const unknown = rule.filters.find((filter) => filter.type === "Unsupported");
  if (unknown?.type === "Unsupported") {
    return `filter ${unknown.name} is not supported`;
  }
  const onBackend = rule.backendRefs
    .flatMap(({ filters }) => filters)
    .find(({ type }) => !ON_BACKENDS.includes(type));
  if (onBackend) {
    const name = onBackend.type === "Unsupported" ? onBackend.name : onBackend.type;
    return `filter ${name} is not supported on a backendRef; put it on the rule`;
  }
  return findContradiction(rule);
}

/** The standard's own checks, which the API server makes and a folder of files does not. */
function findContradiction({ filters, matches, backendRefs }: AnyRule): string | undefined {
  const types = filters.map(({ type }) => type);
  const twice = types.find(
    (type, index) => type !== "RequestMirror" && types.indexOf(type) !== index,
  );
  if (twice) {
    return `filter ${twice} is there twice`;
  }
  if (types.includes("RequestRedirect") && types.includes("URLRewrite")) {
    return "filters RequestRedirect and URLRewrite exclude each other";
  }
  if (types.includes("RequestRedirect") && backendRefs.length > 0) {
    return "filter RequestRedirect leaves no request for backendRefs";
  }
  const replacesPrefix = filters.some(
    (filter) =>
      (filter.type === "URLRewrite" && filter.urlRewrite.path?.type === "ReplacePrefixMatch") ||
      (filter.type === "RequestRedirect" &&
        filter.requestRedirect.path?.type === "ReplacePrefixMatch"),
  );
  return replacesPrefix && matches.some(({ path }) => path.type !== "PathPrefix")
    ? "ReplacePrefixMatch needs matches of type PathPrefix"
    : undefined;
}

interface Changes {
  readonly requestHeaders?: HeaderChanges;
  readonly responseHeaders?: HeaderChanges;
}

/** Changes of a backendRef come after those of its rule, so where there are any, they hold both. */
function inOnePlace(
  destinations: readonly Destination[],
  rule: Changes,
): Changes & { readonly destinations: readonly Destination[] } {
  if (destinations.every((one) => !one.requestHeaders && !one.responseHeaders)) {
    return { destinations, ...rule };
  }
  return {
    destinations: destinations.map((destination) => {
      const requestHeaders = together(rule.requestHeaders, destination.requestHeaders);
      const responseHeaders = together(rule.responseHeaders, destination.responseHeaders);
      return {
        ...destination,
        ...(requestHeaders && { requestHeaders }),
        ...(responseHeaders && { responseHeaders }),
      };
    }),
  };
}

function together(
  first: HeaderChanges | undefined,
  then: HeaderChanges | undefined,
): HeaderChanges | undefined {
  if (!first || !then) {
    return first ?? then;
  }
  const replaced = new Set(
    [...then.set.map(({ name }) => name), ...then.remove].map((name) => name.toLowerCase()),
  );
  const isKept = ({ name }: { name: string }) => !replaced.has(name.toLowerCase());
  return {
    set: [...first.set.filter(isKept), ...then.set],
    add: [...first.add.filter(isKept), ...then.add],
    remove: [...first.remove, ...then.remove],
  };
}

function headerChanges(filters: readonly RouteFilter[]): Changes {
  const changes: { requestHeaders?: HeaderChanges; responseHeaders?: HeaderChanges } = {};
  for (const filter of filters) {
    if (filter.type === "RequestHeaderModifier") {
      changes.requestHeaders = filter.requestHeaderModifier;
    } else if (filter.type === "ResponseHeaderModifier") {
      changes.responseHeaders = filter.responseHeaderModifier;
    }
  }
  return changes;
}

function redirectOf(filters: readonly RouteFilter[]): Pick<RuleActions, "redirect"> {
  for (const filter of filters) {
    if (filter.type === "RequestRedirect") {
      const { statusCode, path, ...rest } = filter.requestRedirect;
      return { redirect: { ...rest, status: statusCode, ...(path && { path: changeOf(path) }) } };
    }
  }
  return {};
}

function rewriteOf(filters: readonly RouteFilter[]): Pick<RuleActions, "rewrite"> {
  for (const filter of filters) {
    if (filter.type === "URLRewrite") {
      const { hostname, path } = filter.urlRewrite;
      return { rewrite: { ...(hostname && { hostname }), ...(path && { path: changeOf(path) }) } };
    }
  }
  return {};
}

function changeOf(path: PathModifier): PathChange {
  return path.type === "ReplaceFullPath"
    ? { full: path.replaceFullPath }
    : { prefix: path.replacePrefixMatch };
}

function mirrorsOf(filters: readonly RouteFilter[]): RequestMirror[] {
  return filters.flatMap((filter) =>
    filter.type === "RequestMirror" ? [filter.requestMirror] : [],
  );
}

function shareOf({ percent, fraction }: RequestMirror): number {
  if (fraction) {
    return fraction.numerator / fraction.denominator;
  }
  return (percent ?? 100) / 100;
}

function corsOf(filters: readonly RouteFilter[]): Pick<RuleActions, "cors"> {
  for (const filter of filters) {
    if (filter.type === "CORS") {
      const { allowOrigins, allowMethods, allowHeaders, exposeHeaders } = filter.cors;
      return {
        cors: {
          origins: allowOrigins,
          methods: allowMethods,
          headers: allowHeaders,
          exposedHeaders: exposeHeaders,
          allowsCredentials: filter.cors.allowCredentials,
          maxAgeSeconds: filter.cors.maxAge,
        },
      };
    }
  }
  return {};
}

function timeoutsOf({ timeouts: { request, backendRequest } }: AnyRule): Timeouts {
  return {
    ...(request !== undefined && { requestMs: durationMs(request) }),
    ...(backendRequest !== undefined && { backendRequestMs: durationMs(backendRequest) }),
  };
}

function retryOf({ retry }: AnyRule): Pick<RuleActions, "retry"> {
  if (!retry) {
    return {};
  }
  const { codes, attempts, backoff } = retry;
  return {
    retry: {
      codes,
      ...(attempts !== undefined && { attempts }),
      ...(backoff !== undefined && { backoffMs: durationMs(backoff) }),
    },
  };
}

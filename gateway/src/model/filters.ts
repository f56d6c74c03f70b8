import type { PathModifier, RequestMirror, RouteFilter } from "../snapshot/route-filters.ts";
import type { Destination, HeaderChanges, PathChange, RuleActions } from "./model.ts";

/** The filters of a rule, each as what it does. */

interface Changes {
  readonly requestHeaders?: HeaderChanges;
  readonly responseHeaders?: HeaderChanges;
}

/** Changes of a backendRef come after those of its rule, so where there are any, they hold both. */
export function inOnePlace(
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

export function headerChanges(filters: readonly RouteFilter[]): Changes {
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

export function redirectOf(filters: readonly RouteFilter[]): Pick<RuleActions, "redirect"> {
  for (const filter of filters) {
    if (filter.type === "RequestRedirect") {
      const { statusCode, path, ...rest } = filter.requestRedirect;
      return { redirect: { ...rest, status: statusCode, ...(path && { path: changeOf(path) }) } };
    }
  }
  return {};
}

export function rewriteOf(filters: readonly RouteFilter[]): Pick<RuleActions, "rewrite"> {
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

export function mirrorsOf(filters: readonly RouteFilter[]): RequestMirror[] {
  return filters.flatMap((filter) =>
    filter.type === "RequestMirror" ? [filter.requestMirror] : [],
  );
}

export function shareOf({ percent, fraction }: RequestMirror): number {
  if (fraction) {
    return fraction.numerator / fraction.denominator;
  }
  return (percent ?? 100) / 100;
}

export function corsOf(filters: readonly RouteFilter[]): Pick<RuleActions, "cors"> {
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

import type { AnyRule } from "./any-route.ts";

/** What a rule asks for that is not carried out, or that cannot be: undefined when there is nothing. */

/** Filters of a backendRef that are more than headers would need a route of their own. */
const ON_BACKENDS = ["RequestHeaderModifier", "ResponseHeaderModifier"];

export function findUnsupported(rule: AnyRule): string | undefined {
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

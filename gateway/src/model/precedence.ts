import type { RouteMatch } from "../snapshot/gateway-api.ts";
import type { Metadata } from "../snapshot/metadata.ts";

/** One match of one rule, with what the standard compares when several matches fit a request. */
export interface Candidate {
  readonly match: RouteMatch;
  readonly metadata: Metadata;
  readonly ruleIndex: number;
  readonly matchIndex: number;
}

/**
 * The order of the HTTPRoute specification ("matches"): exact path, longest prefix, method, number
 * of headers; then the older route, the alphabetical order of namespace/name, and the order written.
 */
export function byPrecedence(a: Candidate, b: Candidate): number {
  return (
    Number(b.match.path.type === "Exact") - Number(a.match.path.type === "Exact") ||
    b.match.path.value.length - a.match.path.value.length ||
    Number(b.match.method !== undefined) - Number(a.match.method !== undefined) ||
    b.match.headers.length - a.match.headers.length ||
    olderFirst(a.metadata, b.metadata) ||
    a.ruleIndex - b.ruleIndex ||
    a.matchIndex - b.matchIndex
  );
}

/** Objects without a creation time (files) come in the order of their names. */
export function olderFirst(a: Metadata, b: Metadata): number {
  return (
    compareText(a.creationTimestamp ?? "", b.creationTimestamp ?? "") ||
    compareText(a.namespace, b.namespace) ||
    compareText(a.name, b.name)
  );
}

/** By code unit, so that the order does not depend on the machine's locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

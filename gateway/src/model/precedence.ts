import type { Metadata } from "../snapshot/metadata.ts";
import type { AnyMatch } from "./any-route.ts";

/** One match of one rule, with what the standard compares when several matches fit a request. */
export interface Candidate {
  /** Of a Mapping; the others have none. */
  readonly precedence?: number;
  /** Of a Service's annotation. */
  readonly isImplied?: boolean;
  readonly match: AnyMatch;
  readonly metadata: Metadata;
  readonly ruleIndex: number;
  readonly matchIndex: number;
}

/**
 * The order of the HTTPRoute specification ("matches"): exact path, regular expression (whose place
 * the standard leaves open), longest prefix, method, number of headers, number of query parameters;
 * then the route that was written out (an annotation takes nothing from it), the older one, the alphabetical order of namespace/name, and the order written. Of two
 * matches of gRPC the longer service comes first, then the longer method.
 */
export function byPrecedence(a: Candidate, b: Candidate): number {
  return (
    (b.precedence ?? 0) - (a.precedence ?? 0) ||
    byCall(a.match, b.match) ||
    PATHS[b.match.path.type] - PATHS[a.match.path.type] ||
    b.match.path.value.length - a.match.path.value.length ||
    Number(b.match.method !== undefined) - Number(a.match.method !== undefined) ||
    b.match.headers.length - a.match.headers.length ||
    b.match.queryParams.length - a.match.queryParams.length ||
    Number(a.isImplied ?? false) - Number(b.isImplied ?? false) ||
    olderFirst(a.metadata, b.metadata) ||
    a.ruleIndex - b.ruleIndex ||
    a.matchIndex - b.matchIndex
  );
}

const PATHS = { Exact: 2, RegularExpression: 1, PathPrefix: 0 } as const;

function byCall({ grpc: a }: AnyMatch, { grpc: b }: AnyMatch): number {
  if (!a || !b) {
    return 0;
  }
  return b.serviceLength - a.serviceLength || b.methodLength - a.methodLength;
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

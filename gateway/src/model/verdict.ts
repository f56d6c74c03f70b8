import type { ObjectRef } from "../snapshot/metadata.ts";

/**
 * What was made of one object, seen from one parent, in the standard's own conditions. The model
 * decides them; where they are shown (a log line, a page, the object's status) is not its concern.
 */
export interface Verdict {
  readonly object: ObjectRef;
  readonly generation?: number;
  /** Of an object that is refused before it is looked at: two of one name are told apart by it. */
  readonly origin?: string;
  /** The Gateway or ListenerSet, or the object a policy targets, that this verdict is about. */
  readonly parent?: ObjectRef & { readonly sectionName?: string; readonly port?: number };
  /** One listener of a Gateway or a ListenerSet. */
  readonly listener?: string;
  readonly attachedRoutes?: number;
  /** Of a listener: the kinds of routes that it takes. */
  readonly supportedKinds?: readonly RouteKind[];
  /** Of a Gateway: how many ListenerSets it has taken in. */
  readonly attachedListenerSets?: number;
  /** Of a Gateway: where clients reach it. */
  readonly addresses?: readonly Address[];
  readonly conditions: readonly Condition[];
}

export interface Address {
  readonly type: "IPAddress" | "Hostname";
  readonly value: string;
}

export interface RouteKind {
  readonly group: string;
  readonly kind: string;
}

export interface Condition {
  readonly type:
    | "Accepted"
    | "Programmed"
    | "ResolvedRefs"
    | "Conflicted"
    | "PartiallyInvalid"
    | "InsecureFrontendValidationMode"
    | "SupportedVersion";
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

export interface Refusal {
  readonly reason: string;
  readonly message: string;
}

export function holds(type: Condition["type"], message = "", reason: string = type): Condition {
  return { type, status: "True", reason, message };
}

export function fails(type: Condition["type"], refusal: Refusal): Condition {
  return { type, status: "False", ...refusal };
}

/** Good news when they hold; of the others, Conflicted and PartiallyInvalid are bad news. */
const GOOD: ReadonlySet<string> = new Set(["Accepted", "Programmed", "ResolvedRefs"]);
const BAD: ReadonlySet<string> = new Set(["Conflicted", "PartiallyInvalid"]);

export function isBadNews({ type, status }: Condition): boolean {
  return status === "True" ? BAD.has(type) : GOOD.has(type);
}

export function isRefused(verdict: Verdict): boolean {
  return verdict.conditions.some(isBadNews);
}

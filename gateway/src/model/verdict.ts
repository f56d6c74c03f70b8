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
  /** The Gateway, or the object a policy targets, that this verdict is about. */
  readonly parent?: ObjectRef & { readonly sectionName?: string; readonly port?: number };
  /** One listener of a Gateway. */
  readonly listener?: string;
  readonly attachedRoutes?: number;
  readonly conditions: readonly Condition[];
}

export interface Condition {
  readonly type: "Accepted" | "Programmed" | "ResolvedRefs" | "Conflicted";
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

export interface Refusal {
  readonly reason: string;
  readonly message: string;
}

export function holds(type: Condition["type"], message = ""): Condition {
  return { type, status: "True", reason: type, message };
}

export function fails(type: Condition["type"], refusal: Refusal): Condition {
  return { type, status: "False", ...refusal };
}

/** Conflicted is the one condition that is bad news when it holds. */
export function isRefused(verdict: Verdict): boolean {
  return verdict.conditions.some(
    ({ type, status }) => (status === "True") === (type === "Conflicted"),
  );
}

import type { FuzzedKind } from "./kinds.ts";

/** What is shown of one object in its own status, or in Events about it, by our controller. */
export interface Said {
  readonly isBad: boolean;
  readonly reason: string;
  readonly message: string;
}

/**
 * `good`: nothing is wrong with it. `explained`: something is, and it says what. `statusless`: something is, and its kind has
 * no status to say it in. `foreign`: it is nobody's whom this controller answers for. Then the two that must not be:
 * `silent`, the controller knows and the object does not say; `ignored`, nobody says anything.
 */
export type Outcome = "good" | "explained" | "statusless" | "foreign" | "silent" | "ignored";

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

interface Entry {
  readonly controllerName?: string;
  readonly conditions?: readonly Condition[];
}

export interface Status {
  readonly conditions?: readonly Condition[];
  readonly listeners?: readonly Entry[];
  readonly parents?: readonly Entry[];
  readonly ancestors?: readonly Entry[];
  readonly state?: string;
  readonly reason?: string;
}

export const CONTROLLER = "gateway.portico.dev/controller";
const GOOD_NEWS = ["Accepted", "Programmed", "ResolvedRefs"];
const BAD_NEWS = ["Conflicted", "PartiallyInvalid"];

export function saidOf({ tells }: FuzzedKind, status: Status = {}): Said[] {
  if (tells === "mapping") {
    const { state, reason = "" } = status;
    return state ? [{ isBad: state !== "Running", reason, message: reason }] : [];
  }
  const entries = [...(status.parents ?? []), ...(status.ancestors ?? [])].filter(
    ({ controllerName }) => controllerName === CONTROLLER,
  );
  const listeners = status.listeners ?? [];
  return [status, ...listeners, ...entries].flatMap(({ conditions = [] }) =>
    conditions
      // What the API server writes itself, before any controller has looked.
      .filter(({ reason, status }) => !(status === "Unknown" && reason === "Pending"))
      .map(({ type, status, reason = "", message = "" }) => ({
        isBad: (status === "True" ? BAD_NEWS : GOOD_NEWS).includes(type),
        ...{ reason, message: `${type}: ${message}` },
      })),
  );
}

/**
 * @param refused what the controller itself holds of it; undefined: it says nothing of it
 * @param isOurs whether it names, or is, something that this controller has to answer for
 */
export function judge(
  { tells }: FuzzedKind,
  said: readonly Said[],
  refused: boolean | undefined,
  isOurs: boolean,
): Outcome {
  if (tells === "nothing") return refused ? "statusless" : "good";
  const bad = said.filter(({ isBad }) => isBad);
  if (bad.length > 0) {
    const isExplained = bad.every(({ reason, message }) => reason !== "" && !/: $/.test(message));
    return isExplained ? "explained" : "silent";
  }
  if (said.length > 0 && !refused) return "good";
  // A route without a parent, for one: there is nobody in whose name to say anything.
  if (!isOurs) return "foreign";
  return refused === undefined ? "ignored" : "silent";
}

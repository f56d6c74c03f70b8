import type { Logger } from "../logger.ts";
import { createMemory } from "../model/remember.ts";
import { type Condition, isRefused, type Verdict } from "../model/verdict.ts";

/**
 * What became of each object. On a laptop: a log line when it changes, and a page; on a cluster the
 * same statuses will be written back onto the objects.
 */
export interface StatusBoard {
  report(verdicts: readonly Verdict[]): void;
  statuses(): readonly ObjectStatus[];
}

export interface ObjectStatus extends Omit<Verdict, "conditions" | "generation"> {
  readonly conditions: readonly (Condition & {
    readonly lastTransitionTime: string;
    readonly observedGeneration?: number;
  })[];
}

export function createStatusBoard(logger: Logger, now: () => Date = () => new Date()): StatusBoard {
  let board = new Map<string, Entry>();
  const keys = createMemory<string>();

  function examine(verdict: Verdict, earlier: ObjectStatus | undefined): ObjectStatus {
    const status = statusOf(verdict, earlier, now().toISOString());
    if (hasChanged(status, earlier)) {
      logChange(logger, verdict, earlier !== undefined);
    }
    return status;
  }

  return {
    report(verdicts) {
      const next = new Map<string, Entry>();
      for (const verdict of verdicts) {
        const key = keys(verdict, [], () => keyOf(verdict));
        const earlier = board.get(key);
        const isKnown = earlier?.verdict === verdict;
        next.set(key, isKnown ? earlier : { verdict, status: examine(verdict, earlier?.status) });
      }
      board = next;
    },
    statuses: () => [...board.values()].map(({ status }) => status),
  };
}

interface Entry {
  readonly verdict: Verdict;
  readonly status: ObjectStatus;
}

function keyOf({ object, origin, parent, listener }: Verdict): string {
  return JSON.stringify([object, origin, parent, listener]);
}

/** lastTransitionTime moves only when a condition's status does (Kubernetes API conventions). */
function statusOf(
  { conditions, generation, ...verdict }: Verdict,
  earlier: ObjectStatus | undefined,
  now: string,
): ObjectStatus {
  return {
    ...verdict,
    conditions: conditions.map((condition) => {
      const before = earlier?.conditions.find(({ type }) => type === condition.type);
      return {
        ...condition,
        lastTransitionTime: before?.status === condition.status ? before.lastTransitionTime : now,
        ...(generation !== undefined && { observedGeneration: generation }),
      };
    }),
  };
}

function hasChanged(status: ObjectStatus, earlier: ObjectStatus | undefined): boolean {
  const told = (one: ObjectStatus | undefined) =>
    one?.conditions.map(({ type, status, reason, message }) => [type, status, reason, message]);
  return JSON.stringify(told(status)) !== JSON.stringify(told(earlier));
}

function logChange(logger: Logger, verdict: Verdict, isKnown: boolean) {
  const { object, parent, listener, conditions } = verdict;
  const about = {
    object: `${object.kind} ${object.namespace}/${object.name}`,
    ...(parent && { parent: `${parent.kind} ${parent.namespace}/${parent.name}` }),
    ...(listener !== undefined && { listener }),
  };
  if (!isRefused(verdict)) {
    logger[isKnown ? "info" : "debug"]("object.accepted", about);
    return;
  }
  const [worst] = conditions.filter(({ status }) => status === "False");
  logger.warn("object.rejected", { ...about, reason: worst?.reason, message: worst?.message });
}

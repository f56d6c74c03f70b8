import { setTimeout as sleep } from "node:timers/promises";

/** Bounds what is asked of the API server: so many requests at once, and so many a second. */
export interface Pace {
  /** Resolves when another request may be made. */
  wait(): Promise<void>;
  run<Outcome>(
    tasks: readonly (() => Promise<Outcome>)[],
    isStopped: () => boolean,
  ): Promise<Outcome[]>;
}

const AT_ONCE = 8;
const A_SECOND = 100;
const BURST = 100;

export function createPace(limits: { aSecond?: number; burst?: number } = {}): Pace {
  const { aSecond = A_SECOND, burst = BURST } = limits;
  /** When the next request may be made, if they had been evenly spread; up to a burst in the past. */
  let next = 0;

  return {
    async wait() {
      const now = performance.now();
      next = Math.max(next, now - (burst * 1000) / aSecond) + 1000 / aSecond;
      if (next > now) {
        await sleep(next - now);
      }
    },

    async run(tasks, isStopped) {
      const outcomes: Awaited<ReturnType<(typeof tasks)[number]>>[] = [];
      const queue = tasks.values();
      const worker = async () => {
        for (const task of queue) {
          if (isStopped()) {
            return;
          }
          outcomes.push(await task());
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      return outcomes;
    },
  };
}

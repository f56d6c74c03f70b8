/**
 * About how many buckets this process has made that may still be in Redis, at most. Whoever invents a new
 * caller for each request (by a header, or out of a wide network) fills the memory of a Redis that
 * services share; beyond `most`, callers that Redis does not know are counted by Envoys alone.
 */
export interface Population {
  hasRoom(): boolean;
  /** @param forMs how long it stays at the longest */
  made(forMs: number): void;
}

const STEP_MS = 1_000;

export function createPopulation(most: number, now: () => number): Population {
  /** By the second in which the last of them has gone. */
  const leaving = new Map<number, number>();
  let count = 0;
  let swept = 0;

  function sweep() {
    const second = Math.floor(now() / STEP_MS);
    if (second === swept) {
      return;
    }
    swept = second;
    for (const [end, these] of leaving) {
      if (end < second) {
        leaving.delete(end);
        count -= these;
      }
    }
  }

  return {
    hasRoom() {
      sweep();
      return count < most;
    },
    made(forMs) {
      const end = Math.ceil((now() + forMs) / STEP_MS);
      leaving.set(end, (leaving.get(end) ?? 0) + 1);
      count++;
    },
  };
}

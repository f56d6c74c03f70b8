/**
 * Turns at hashing passwords. A hash takes a thread of Node's pool for tens of milliseconds, and file
 * reads, name lookups and checks of signatures need that pool too: so some of it is never taken, and who
 * comes when too many wait is sent away at once instead of keeping everybody waiting.
 */
import { availableParallelism } from "node:os";
import { tooManyRequests } from "@portico/service-kit";

export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

/** Of 429 rather than 503: gateways repeat the latter, and take the service for broken. */
const tooBusy = (retryAfterS: number) =>
  tooManyRequests("Too many people are signing in right now. Try again in a few seconds.", {
    headers: { "Retry-After": String(retryAfterS) },
  });

/** @param retryAfterS what to tell whoever is sent away */
export function createTurns(options: {
  atOnce: number;
  mostWaiting: number;
  retryAfterS: number;
}): InTurn {
  const waiting: (() => void)[] = [];
  let underWay = 0;

  const begin = async () => {
    if (underWay < options.atOnce) {
      underWay += 1;
      return;
    }
    if (waiting.length >= options.mostWaiting) throw tooBusy(options.retryAfterS);
    // Whoever ends hands over its place, so nobody can take it in between.
    await new Promise<void>((resolve) => waiting.push(resolve));
  };

  const end = () => {
    const next = waiting.shift();
    if (next) next();
    else underWay -= 1;
  };

  return async (work) => {
    await begin();
    try {
      return await work();
    } finally {
      end();
    }
  };
}

/** libuv's, unless it is told otherwise. */
const poolThreads = 4;

/** One for this process, as the pool is. More hashes at once than processors only wait for one another. */
export const inHashTurn: InTurn = createTurns({
  atOnce: Math.min(availableParallelism(), poolThreads - 1),
  mostWaiting: 200,
  retryAfterS: 5,
});

/** What the sandbox saw, so that a test can say how a client behaved. */
import type { RequestHandler } from "express";

export type Counts = {
  requests: number;
  /** Most requests within any one second. */
  busiestSecond: number;
  throttled: number;
  /** Requests whose client went away before its answer, or was cut off by a fault. */
  brokenOff: number;
  byRoute: Record<string, number>;
  byStatus: Record<string, number>;
  /** By e-mail address of the account. */
  signIns: Record<string, number>;
  renewals: Record<string, number>;
};

export type Counters = {
  read(): Counts;
  reset(): void;
  signedIn(email: string): void;
  renewed(email: string): void;
  refusedByRateLimit(): void;
  /** Counts a request as it comes and its answer as it goes. */
  count: RequestHandler;
};

const none = (): Counts => ({
  requests: 0,
  busiestSecond: 0,
  throttled: 0,
  brokenOff: 0,
  byRoute: {},
  byStatus: {},
  signIns: {},
  renewals: {},
});

const maxNames = 500;

function increase(counts: Record<string, number>, name: string): void {
  const isKnown = name in counts || Object.keys(counts).length < maxNames;
  const key = isKnown ? name : "other";
  counts[key] = (counts[key] ?? 0) + 1;
}

const routeOf = (method: string, path: string): string =>
  `${method} ${path.replace(/(vc|txn|cc|evt)_\w+/g, ":id")}`;

export function createCounters(now: () => number): Counters {
  let counts = none();
  let lastSecond: number[] = [];

  const countArrival = (): void => {
    lastSecond.push(now());
    while ((lastSecond[0] ?? 0) <= now() - 1000) lastSecond.shift();
    counts.requests += 1;
    counts.busiestSecond = Math.max(counts.busiestSecond, lastSecond.length);
  };

  return {
    read: () => structuredClone(counts),
    reset() {
      counts = none();
      lastSecond = [];
    },
    signedIn: (email) => increase(counts.signIns, email),
    renewed: (email) => increase(counts.renewals, email),
    refusedByRateLimit: () => {
      counts.throttled += 1;
    },
    count(request, response, next) {
      countArrival();
      increase(counts.byRoute, routeOf(request.method, request.path));
      response.once("close", () => {
        if (!response.writableFinished) {
          counts.brokenOff += 1;
          return;
        }
        increase(counts.byStatus, String(response.statusCode));
      });
      next();
    },
  };
}

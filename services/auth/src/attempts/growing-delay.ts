import type { Redis } from "ioredis";
import { RateLimiterRedis } from "rate-limiter-flexible";
import { refuseWhenOver, tooSoon } from "./too-soon.ts";

/** Failures of one kind, under one key: some are free, and after each further one the next has to wait longer. */
export type GrowingDelay = {
  look(key: string): Promise<Barrier>;
  /** Answers how many there are now. */
  failed(key: string): Promise<number>;
  forget(key: string): Promise<void>;
};

/** As it stood when it was looked at. */
export type Barrier = {
  /** Throws 429 when it is too soon, or all were used. One caller at a time gets past a pause. */
  pass(): Promise<void>;
};

/** NIST SP 800-63B-4 section 3.2.2: no more than 100 failures in a row. */
const mostFailures = 100;
/** Kept that long after the first of them. */
const rememberedS = 86_400;
const longestPauseS = 15 * 60;

/** 1 s, 2 s, 4 s … a quarter of an hour: no longer is anybody kept out by what others did. */
const pauseS = (failuresBeyondFree: number): number =>
  Math.min(2 ** failuresBeyondFree, longestPauseS);

export function createGrowingDelay(redis: Redis, name: string, free: number): GrowingDelay {
  const failures = new RateLimiterRedis({
    storeClient: redis,
    keyPrefix: `auth:attempts:${name}`,
    points: mostFailures,
    duration: rememberedS,
  });
  const pause = new RateLimiterRedis({
    storeClient: redis,
    keyPrefix: `auth:attempts:${name}:pause`,
    points: 1,
    duration: 1,
  });

  return {
    async look(key) {
      const before = await failures.get(key);
      const count = before?.consumedPoints ?? 0;
      return {
        async pass() {
          if (before && count >= mostFailures) throw tooSoon(before.msBeforeNext);
          if (count < free) return;
          // Counted where it is decided: of many at once, whichever instance they reach, one gets past.
          await refuseWhenOver(pause.consume(key, 1, { customDuration: pauseS(count - free) }));
        },
      };
    },

    async failed(key) {
      return (await failures.penalty(key)).consumedPoints;
    },

    async forget(key) {
      await Promise.all([failures.delete(key), pause.delete(key)]);
    },
  };
}

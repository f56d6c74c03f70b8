import type { Redis } from "ioredis";
import { RateLimiterRedis } from "rate-limiter-flexible";
import { refuseWhenOver } from "./too-soon.ts";

/**
 * A limit for short codes, which only who has proved something else already may guess at: so nobody can
 * use it to keep an account's owner out. Counts before the code is looked at: of many guesses at once no
 * more are looked at than of one after another.
 */
export type GuessLimit = {
  /** Throws 429 when all guesses are used. */
  count(key: string): Promise<void>;
  /** After a right one. */
  forget(key: string): Promise<void>;
};

const quarterS = 15 * 60;
const dayS = 86_400;

/** Of a million codes three are right at a time: a day of guessing finds one with a chance of 1 in 6,600. */
const perQuarter = 5;
const perDay = 50;

export function createGuessLimit(redis: Redis, name: string): GuessLimit {
  const limit = (window: string, points: number, duration: number) =>
    new RateLimiterRedis({
      storeClient: redis,
      keyPrefix: `auth:attempts:${name}:${window}`,
      points,
      duration,
    });
  const [inQuarter, inDay] = [limit("quarter", perQuarter, quarterS), limit("day", perDay, dayS)];

  return {
    async count(key) {
      await refuseWhenOver(inQuarter.consume(key));
      await refuseWhenOver(inDay.consume(key));
    },
    async forget(key) {
      await Promise.all([inQuarter.delete(key), inDay.delete(key)]);
    },
  };
}

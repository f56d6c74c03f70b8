/**
 * Attempts: how often somebody may try what can be guessed, and how long to wait for the next time.
 * Counted in Redis, for all instances together. Without Redis nobody can count, so what is limited is
 * refused (503) until it is back, seconds later; sessions and tokens that people have go on.
 *
 * Of sign-ins the failed ones are counted three times: for one account from one place, for one account
 * from all places that its owner never signed in from, and for one place with any account. So whoever
 * guesses waits ever longer, also with a thousand addresses, and the owner does not where they are known.
 * An address that has no account is counted as one that has.
 */
import type { Redis } from "ioredis";
import { RateLimiterRedis } from "rate-limiter-flexible";
import { createGrowingDelay } from "./growing-delay.ts";
import { keyOf } from "./key.ts";
import { placeOf } from "./place.ts";
import { tooSoon } from "./too-soon.ts";

export type SignInAttempts = {
  /** Throws 429 when it is too soon for the next one. */
  admit(email: string, address: string): Promise<void>;
  /** Answers how many have failed from there since one succeeded: what others tried is not for everybody. */
  failed(email: string, address: string): Promise<number>;
  /** Answers how many have failed from anywhere since one succeeded, and begins anew. */
  succeeded(email: string, address: string): Promise<number>;
  /** The owner has proved the mailbox: what was tried until then counts no more. */
  forget(email: string): Promise<void>;
};

const daysS = 86_400;
const freeFromOnePlace = 5;
const freeFromStrangers = 10;
const knownForS = 30 * daysS;
const windowS = 15 * 60;

/** @param perPlace failed sign-ins that one place may have in a quarter of an hour */
export function createSignInAttempts(redis: Redis, perPlace: number): SignInAttempts {
  const fromOnePlace = createGrowingDelay(redis, "account-and-place", freeFromOnePlace);
  const fromStrangers = createGrowingDelay(redis, "account", freeFromStrangers);
  const ofOnePlace = new RateLimiterRedis({
    storeClient: redis,
    keyPrefix: "auth:attempts:place",
    points: perPlace,
    duration: windowS,
  });
  /** Limits nothing: for the owner to see. */
  const sinceSuccess = new RateLimiterRedis({
    storeClient: redis,
    keyPrefix: "auth:attempts:since-success",
    points: 1,
    duration: knownForS,
  });
  const knownKey = (pair: string) => `auth:attempts:known:${pair}`;

  return {
    async admit(email, address) {
      const { account, place, pair } = keysOf(email, address);
      const [isKnown, before, here, strangers] = await Promise.all([
        redis.exists(knownKey(pair)),
        ofOnePlace.get(place),
        fromOnePlace.look(pair),
        fromStrangers.look(account),
      ]);
      if (!isKnown && before && before.consumedPoints >= perPlace) {
        throw tooSoon(before.msBeforeNext);
      }
      // Who is stopped here must not use up the strangers' turn.
      await here.pass();
      if (!isKnown) await strangers.pass();
    },

    async failed(email, address) {
      const { account, place, pair } = keysOf(email, address);
      const isKnown = await redis.exists(knownKey(pair));
      const [here] = await Promise.all([
        fromOnePlace.failed(pair),
        sinceSuccess.penalty(account),
        ofOnePlace.penalty(place),
        isKnown ? undefined : fromStrangers.failed(account),
      ]);
      return here;
    },

    async succeeded(email, address) {
      const { account, pair } = keysOf(email, address);
      const before = await sinceSuccess.get(account);
      await Promise.all([
        sinceSuccess.delete(account),
        fromOnePlace.forget(pair),
        redis.set(knownKey(pair), 1, "EX", knownForS),
      ]);
      return before?.consumedPoints ?? 0;
    },

    async forget(email) {
      const { account } = keysOf(email, "");
      await Promise.all([sinceSuccess.delete(account), fromStrangers.forget(account)]);
    },
  };
}

const keysOf = (email: string, address: string) => {
  const place = placeOf(address);
  return { account: keyOf(email), place: keyOf(place), pair: keyOf(email, place) };
};

import type { Redis } from "ioredis";
import { RateLimiterRedis } from "rate-limiter-flexible";
import { keyOf } from "./key.ts";
import { placeOf } from "./place.ts";
import { refuseWhenOver } from "./too-soon.ts";

/** How often one place may do something that costs others: throws 429 when it was too often. */
export type PlaceLimit = { count(address: string): Promise<void> };

const windowS = 15 * 60;

/** @param perPlace times in a quarter of an hour */
export function createPlaceLimit(redis: Redis, name: string, perPlace: number): PlaceLimit {
  const limit = new RateLimiterRedis({
    storeClient: redis,
    keyPrefix: `auth:attempts:${name}`,
    points: perPlace,
    duration: windowS,
  });
  return {
    async count(address) {
      await refuseWhenOver(limit.consume(keyOf(placeOf(address))));
    },
  };
}

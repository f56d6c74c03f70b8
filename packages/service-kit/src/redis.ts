/**
 * Redis for caches, limits and the event stream. It may be flushed or killed at any moment: nothing
 * is kept here that MongoDB does not have, and a command that cannot be sent soon fails.
 */
import { Redis } from "ioredis";
import type { Logger } from "./logger.ts";

/**
 * @param prefix put before every key, `<service>:`
 * @param blocking for a connection that waits in XREADGROUP, for less than 5 s at a time; its loop
 * itself tries again what failed
 */
export function connectRedis(
  url: string,
  logger: Logger,
  options: { prefix?: string; blocking?: boolean } = {},
): Redis {
  const redis = new Redis(url, {
    keyPrefix: options.prefix ?? "",
    connectTimeout: 3_000,
    // A peer that is gone without a word is noticed, and the connection made anew.
    commandTimeout: options.blocking ? 5_000 : 2_000,
    socketTimeout: 5_000,
    maxRetriesPerRequest: options.blocking ? 0 : 2,
    retryStrategy: (attempt) => Math.min(50 * 2 ** attempt, 1_000),
  });
  // Without a listener ioredis prints to the console; with one we log what happened once.
  let down = false;
  redis.on("error", (error) => {
    if (!down) logger.warn("redis.unreachable", { error });
    down = true;
  });
  redis.on("ready", () => {
    down = false;
  });
  return redis;
}

/** For `/readyz`. */
export const pingRedis = (redis: Redis) => () => redis.ping();

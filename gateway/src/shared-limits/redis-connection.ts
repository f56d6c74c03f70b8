import { Redis } from "ioredis";
import { messageOf } from "../logger.ts";

/** Of what Envoy waits at most (`envoy/shared-rate-limit.ts`), the part that Redis has. */
const ANSWER_MS = 40;

/** What happens to the connection; the message says why it ended. */
export interface ConnectionEvents {
  onReady(): void;
  onLost(message: string): void;
}

/**
 * A connection that fails at once when Redis is not there, and soon when it is slow: a request is waiting.
 * Questions that come in the same moment go out together.
 */
export function connect(url: string, { onReady, onLost }: ConnectionEvents): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    maxRetriesPerRequest: 0,
    connectTimeout: 1_000,
    commandTimeout: ANSWER_MS,
    // A peer that is gone without a word is noticed, and the connection made anew.
    socketTimeout: 2_000,
    retryStrategy: (attempt) => Math.min(50 * 2 ** attempt, 1_000),
  });
  let reason = "the connection ended";
  redis.on("error", (error) => {
    reason = messageOf(error);
  });
  redis.on("close", () => onLost(reason));
  redis.on("ready", onReady);
  return redis;
}

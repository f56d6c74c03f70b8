import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import type { Rate } from "./limit-words.ts";
import { TAKE } from "./take-script.ts";

/** One caller's bucket of one limit. */
export interface Bucket {
  readonly key: string;
  readonly rate: Rate;
  /** Else it is counted, and refuses nothing. */
  readonly isEnforced: boolean;
}

/** What became of it. */
export interface Taken {
  readonly hasRoom: boolean;
  readonly remaining: number;
  /** Until a request has room again; 0 if one has now. */
  readonly waitMs: number;
  readonly fullInMs: number;
  readonly isNew: boolean;
}

/** All buckets of one request at once, in one round trip. Throws when Redis does not answer in time. */
export type Take = (buckets: readonly Bucket[], mayMake: boolean) => Promise<readonly Taken[]>;

const SCRIPT_ID = createHash("sha1").update(TAKE).digest("hex");

export function createTake(redis: Pick<Redis, "evalsha" | "eval">): Take {
  return async (buckets, mayMake) => {
    const keys = buckets.map(({ key }) => key);
    const values = buckets.flatMap(({ rate: { requests, perMs, burst }, isEnforced }) => [
      requests,
      perMs * 1000,
      burst,
      Number(isEnforced),
    ]);
    const script = [keys.length, ...keys, Number(mayMake), ...values] as const;
    const answers = await redis.evalsha(SCRIPT_ID, ...script).catch((error: Error) => {
      // A Redis that was started anew knows no scripts.
      if (error.message.startsWith("NOSCRIPT")) {
        return redis.eval(TAKE, ...script);
      }
      throw error;
    });
    return (answers as number[][]).map(
      ([hasRoom, remaining = 0, waitUs = 0, fullInUs = 0, isNew]) => ({
        hasRoom: hasRoom === 1,
        remaining,
        waitMs: waitUs / 1000,
        fullInMs: fullInUs / 1000,
        isNew: isNew === 1,
      }),
    );
  };
}

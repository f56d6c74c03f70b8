import { createHmac } from "node:crypto";
import type { Bucket } from "./buckets.ts";
import { ENFORCED, LIMIT, REPORTED, readRate } from "./limit-words.ts";
import type { Descriptor } from "./messages.ts";

/** A limit as a question names it, with the bucket of the caller. */
export interface CountedLimit extends Bucket {
  readonly name: string;
}

const PREFIX = "gateway:limit:";

/**
 * Throws when it is not written as `limit-words.ts` has it.
 *
 * @param secret who is counted cannot be read from a key without it: there are few enough addresses to
 * try them all against a hash alone. All replicas have the same.
 */
export function countedLimit(descriptor: Descriptor, secret: string): CountedLimit {
  const [limit, rateEntry, ...caller] = descriptor;
  const rate = readRate(rateEntry?.value ?? "");
  const isEnforced = rateEntry?.key === ENFORCED;
  if (limit?.key !== LIMIT || !rate || !(isEnforced || rateEntry?.key === REPORTED)) {
    throw new Error("A descriptor is not that of a limit");
  }
  const who = JSON.stringify([limit.value, caller.map(({ key, value }) => [key, value])]);
  const hash = createHmac("sha256", secret).update(who).digest("base64url").slice(0, 22);
  return { name: limit.value, rate, isEnforced, key: `${PREFIX}${hash}` };
}

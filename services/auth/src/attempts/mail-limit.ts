import type { Redis } from "ioredis";
import { RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import { keyOf } from "./key.ts";

/** What strangers can have mailed to an address by knowing no more than it. */
export type AskedForMail = "verification" | "reset" | "sign-up-repeated";

export type MailLimit = {
  /** Counts a mail that is asked for; false when it must not be sent. Says nothing to whoever asked. */
  allows(kind: AskedForMail, email: string): Promise<boolean>;
};

const hourS = 3_600;
/** Nobody's mailbox is to be filled by others. */
const mostAnHour = 5;
/** Whatever else was sent, some are left for a reset, the only way in for who forgot the password. */
const mostOfKind: Record<AskedForMail, number> = {
  verification: 3,
  reset: 5,
  "sign-up-repeated": 1,
};

export function createMailLimit(redis: Redis): MailLimit {
  const limit = (name: string, points: number) =>
    new RateLimiterRedis({
      storeClient: redis,
      keyPrefix: `auth:attempts:mail:${name}`,
      points,
      duration: hourS,
    });
  const ofKind = {
    verification: limit("verification", mostOfKind.verification),
    reset: limit("reset", mostOfKind.reset),
    "sign-up-repeated": limit("sign-up-repeated", mostOfKind["sign-up-repeated"]),
  };
  const all = limit("all", mostAnHour);

  return {
    async allows(kind, email) {
      const key = keyOf(email);
      return (await isWithin(ofKind[kind].consume(key))) && isWithin(all.consume(key));
    },
  };
}

const isWithin = (consumed: Promise<RateLimiterRes>): Promise<boolean> =>
  consumed.then(
    () => true,
    (reason) => {
      if (reason instanceof RateLimiterRes) return false;
      throw reason;
    },
  );

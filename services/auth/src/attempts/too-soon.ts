import { type Problem, tooManyRequests } from "@portico/service-kit";
import { RateLimiterRes } from "rate-limiter-flexible";

/** 429, and when to come back: for programs in `Retry-After` (RFC 9110 section 10.2.3), for people in words. */
export function tooSoon(waitMs: number): Problem {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  return tooManyRequests(`Too many attempts. Try again in ${inWords(seconds)}.`, {
    headers: { "Retry-After": String(seconds) },
  });
}

const inWords = (seconds: number): string => {
  if (seconds === 1) return "a second";
  if (seconds <= 90) return `${seconds} seconds`;
  return `${Math.ceil(seconds / 60)} minutes`;
};

/** The library rejects with its counters when a limit is passed, and with an error when Redis fails. */
export const refuseWhenOver = (consumed: Promise<RateLimiterRes>): Promise<RateLimiterRes> =>
  consumed.catch((reason) => {
    throw reason instanceof RateLimiterRes ? tooSoon(reason.msBeforeNext) : reason;
  });

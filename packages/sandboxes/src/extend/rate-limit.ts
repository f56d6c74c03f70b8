/** Extend's patience: so many requests in any window of time, counted exactly; more are refused. */
import type { RequestHandler } from "express";
import { z } from "zod";
import { throttled } from "./contract.ts";
import type { Counters } from "./counters.ts";

export const RateLimit = z.object({
  requests: z.int().min(1).max(100_000),
  perMs: z.int().min(1).max(3_600_000).default(1000),
  /** 429 says when to come back; 422 is what some clients saw instead. */
  status: z.union([z.literal(429), z.literal(422)]).default(429),
});

export type RateLimit = z.infer<typeof RateLimit>;

export type RateLimiter = {
  /** undefined: no limit. */
  set(limit: RateLimit | undefined): void;
  current(): RateLimit | undefined;
  /** 0 when the request may pass, else the milliseconds until one may. */
  take(): number;
};

export function createRateLimiter(initial: RateLimit | undefined, now: () => number): RateLimiter {
  let limit = initial;
  let passedAtMs: number[] = [];

  return {
    set(next) {
      limit = next;
      passedAtMs = [];
    },
    current: () => limit,
    take() {
      if (!limit) return 0;
      const { requests, perMs } = limit;
      passedAtMs = passedAtMs.filter((at) => at > now() - perMs);
      if (passedAtMs.length >= requests) return (passedAtMs[0] ?? 0) + perMs - now();
      passedAtMs.push(now());
      return 0;
    },
  };
}

export const keepRateLimit =
  (limiter: RateLimiter, counters: Counters): RequestHandler =>
  (_request, _response, next) => {
    const waitMs = limiter.take();
    if (waitMs <= 0) return next();
    counters.refusedByRateLimit();
    throw throttled(limiter.current()?.status ?? 429, Math.ceil(waitMs / 1000));
  };

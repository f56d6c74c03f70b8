/** The library's two parts that we use: its front door loads those for twenty stores, nine megabytes. */
import { createRequire } from "node:module";
import type * as library from "rate-limiter-flexible";

const require = createRequire(import.meta.url);

export const RateLimiterRedis =
  require("rate-limiter-flexible/lib/RateLimiterRedis.js") as typeof library.RateLimiterRedis;

export const RateLimiterRes =
  require("rate-limiter-flexible/lib/RateLimiterRes.js") as typeof library.RateLimiterRes;
export type RateLimiterRes = library.RateLimiterRes;

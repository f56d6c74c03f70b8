import type { Taken } from "./buckets.ts";
import type { CountedLimit } from "./counted-limits.ts";
import type { Answer } from "./messages.ts";

/** A limit and what became of the caller's bucket. */
export interface Counted {
  readonly limit: CountedLimit;
  readonly taken: Taken;
}

/** Told to the access log and the service, as of a limit that each Envoy keeps. */
const WOULD_LIMIT = "x-portico-would-limit";

/** When nothing is known: Envoys' own buckets hold alone. */
export const UNCOUNTED: Answer = {
  isOverLimit: false,
  responseHeaders: {},
  requestHeaders: {},
  metadata: {},
};

/** @param isUnsaid another filter of this request tells the client what is left to it */
export function answerOf(counted: readonly Counted[], isUnsaid: boolean): Answer {
  const enforced = counted.filter(({ limit }) => limit.isEnforced);
  const refused = enforced.filter(({ taken }) => !taken.hasRoom);
  if (refused.length > 0) {
    return {
      ...UNCOUNTED,
      isOverLimit: true,
      responseHeaders: { ...quotaHeaders(refused), "retry-after": retryAfter(refused) },
      metadata: { refused: namesOf(refused) },
    };
  }
  const reported = counted.filter(({ limit, taken }) => !(limit.isEnforced || taken.hasRoom));
  return {
    ...UNCOUNTED,
    responseHeaders: isUnsaid ? {} : quotaHeaders(enforced),
    requestHeaders: reported.length > 0 ? { [WOULD_LIMIT]: namesOf(reported) } : {},
  };
}

function namesOf(counted: readonly Counted[]): string {
  return counted.map(({ limit }) => limit.name).join(",");
}

function retryAfter(refused: readonly Counted[]): string {
  return String(Math.max(1, seconds(Math.max(...refused.map(({ taken }) => taken.waitMs)))));
}

/** draft-polli-ratelimit-headers-03, of the limit that has least left; it is reset when its burst is full again. */
function quotaHeaders(counted: readonly Counted[]): Record<string, string> {
  const [tightest] = counted.toSorted((a, b) => a.taken.remaining - b.taken.remaining);
  if (!tightest) {
    return {};
  }
  const { rate } = tightest.limit;
  const policy = `${rate.requests};w=${rate.perMs / 1000};burst=${rate.burst}`;
  return {
    "x-ratelimit-limit": `${rate.burst}, ${policy}`,
    "x-ratelimit-remaining": String(tightest.taken.remaining),
    "x-ratelimit-reset": String(seconds(tightest.taken.fullInMs)),
  };
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}

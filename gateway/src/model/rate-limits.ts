import { keyOf, refOf } from "../snapshot/metadata.ts";
import type { Limit, RateLimitPolicy } from "../snapshot/rate-limit-policy.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { AnyRoute } from "./any-route.ts";
import type { RateLimit } from "./model.ts";
import { keysOfRule, parentOf, type Targets, targetKey } from "./policy-targets.ts";
import { olderFirst } from "./precedence.ts";
import { createMemory } from "./remember.ts";
import { type Condition, fails, holds, type Verdict } from "./verdict.ts";

/**
 * How many requests of one caller are taken. A rule keeps the limits of its own policies, of its
 * route's and of its Gateway's: one that is added never loosens another.
 */
export interface RateLimits {
  ofRule(route: AnyRoute, ruleName: string | undefined, gatewayKey: string): readonly RateLimit[];
  readonly verdicts: readonly Verdict[];
}

export function resolveRateLimits(
  snapshot: Snapshot,
  targets: Targets,
  sharesLimits: boolean,
): RateLimits {
  const limits = new Map<string, RateLimit[]>();
  const policies = [...snapshot.rateLimitPolicies].sort((a, b) =>
    olderFirst(a.metadata, b.metadata),
  );
  const verdicts = policies.flatMap((policy) =>
    policy.spec.targetRefs.map((target): Verdict => {
      const { namespace, generation } = policy.metadata;
      const refusal = targets.refuse(namespace, target);
      const key = targetKey(namespace, target);
      if (!refusal) {
        limits.set(key, [...(limits.get(key) ?? []), ...limitsOf(policy, sharesLimits)]);
      }
      return {
        object: refOf("RateLimitPolicy", policy.metadata),
        generation,
        parent: parentOf(namespace, target),
        conditions: [refusal ? fails("Accepted", refusal) : accepts(policy, sharesLimits)],
      };
    }),
  );
  return {
    ofRule: (route, ruleName, gatewayKey) =>
      keysOfRule(route, ruleName, gatewayKey).flatMap((key) => limits.get(key) ?? []),
    verdicts,
  };
}

const UNIT_MS = { Second: 1000, Minute: 60_000, Hour: 3_600_000 } as const;

function accepts({ spec }: RateLimitPolicy, sharesLimits: boolean): Condition {
  const isAlone = !sharesLimits && spec.limits.some(({ scope }) => scope === "Shared");
  return holds("Accepted", isAlone ? ALONE : "");
}

const ALONE =
  "limits of scope Shared are kept by each replica for itself: the gateway has no Redis to count in (GATEWAY_REDIS_URL)";

const memory = createMemory<RateLimit[]>();

function limitsOf(policy: RateLimitPolicy, sharesLimits: boolean): RateLimit[] {
  return memory(policy, [sharesLimits], () => readLimits(policy, sharesLimits));
}

function readLimits({ metadata, spec }: RateLimitPolicy, sharesLimits: boolean): RateLimit[] {
  return spec.limits.map(({ by, requests, per, burst, scope }: Limit, index) => ({
    name: `${keyOf(metadata)}/${index}`,
    by,
    requests,
    perMs: UNIT_MS[per],
    burst: burst ?? requests,
    isReported: spec.mode === "Report",
    isShared: sharesLimits && scope === "Shared",
  }));
}

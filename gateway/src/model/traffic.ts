import { durationMs } from "../snapshot/gateway-api.ts";
import { refOf } from "../snapshot/metadata.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { TrafficPolicy, TrafficSpec } from "../snapshot/traffic-policy.ts";
import type { AnyRoute } from "./any-route.ts";
import type { BackendTraffic, RouteTraffic } from "./model.ts";
import { keysOfRule, parentOf, readTargets, targetKey } from "./policy-targets.ts";
import { olderFirst } from "./precedence.ts";
import { fails, holds, type Verdict } from "./verdict.ts";

/**
 * How traffic is treated. Field by field the nearest policy counts: a rule's own before its route's,
 * that before its Gateway's. Of two policies for one target the older one has it.
 */
export interface Traffic {
  ofRule(route: AnyRoute, ruleName: string | undefined, gatewayKey: string): RouteTraffic;
  /** By `namespace/name`. */
  ofService(key: string): BackendTraffic | undefined;
  readonly verdicts: readonly Verdict[];
}

export function resolveTraffic(snapshot: Snapshot): Traffic {
  const targets = readTargets(snapshot);
  const owners = new Map<string, TrafficPolicy>();
  const policies = [...snapshot.trafficPolicies].sort((a, b) => olderFirst(a.metadata, b.metadata));
  const verdicts = policies.flatMap((policy) =>
    policy.spec.targetRefs.map((target): Verdict => {
      const { namespace, generation } = policy.metadata;
      const key = targetKey(namespace, target);
      const owner = owners.get(key);
      const message = `TrafficPolicy ${owner?.metadata.name} has ${key} already`;
      const refusal = owner ? { reason: "Conflicted", message } : targets.refuse(namespace, target);
      if (!refusal) {
        owners.set(key, policy);
      }
      return {
        object: refOf("TrafficPolicy", policy.metadata),
        generation,
        parent: parentOf(namespace, target),
        conditions: [refusal ? fails("Accepted", refusal) : holds("Accepted")],
      };
    }),
  );
  return {
    ofRule: (route, ruleName, gatewayKey) =>
      Object.assign(
        {},
        ...keysOfRule(route, ruleName, gatewayKey).map((key) =>
          routeTraffic(owners.get(key)?.spec),
        ),
      ),
    ofService(key) {
      const spec = owners.get(`Service ${key}`)?.spec;
      return spec && backendTraffic(spec);
    },
    verdicts,
  };
}

function routeTraffic(spec: TrafficSpec | undefined): RouteTraffic {
  const { timeouts = {}, maxRequestBytes, compression } = spec ?? {};
  const ms = (duration: string | undefined) => duration && durationMs(duration);
  const found = {
    requestMs: ms(timeouts.request),
    backendRequestMs: ms(timeouts.backendRequest),
    idleMs: ms(timeouts.idle),
    maxRequestBytes,
    compression,
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

function backendTraffic(spec: TrafficSpec): BackendTraffic {
  const { circuitBreaker, retryBudget, outlierDetection: outliers, mode } = spec;
  return {
    ...circuitBreaker,
    ...(retryBudget && { retryBudget }),
    ...(outliers && {
      outliers: {
        consecutiveErrors: outliers.consecutiveErrors,
        intervalMs: durationMs(outliers.interval),
        ejectionMs: durationMs(outliers.ejectionTime),
        maxEjectedPercent: outliers.maxEjectedPercent,
        isReported: mode === "Report",
      },
    }),
  };
}

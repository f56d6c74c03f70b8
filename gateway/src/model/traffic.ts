import { durationMs } from "../snapshot/gateway-api.ts";
import { keyOf, refOf } from "../snapshot/metadata.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { TrafficPolicy, TrafficSpec } from "../snapshot/traffic-policy.ts";
import type { AnyRoute } from "./any-route.ts";
import { serviceOf } from "./mapping-rule.ts";
import type { BackendTraffic, RouteTraffic } from "./model.ts";
import { keysOfRule, parentOf, type Targets, targetKey } from "./policy-targets.ts";
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

export function resolveTraffic(snapshot: Snapshot, targets: Targets): Traffic {
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
  const breakers = breakersOf(snapshot);
  return {
    ofRule: (route, ruleName, gatewayKey) =>
      Object.assign(
        {},
        route.idleMs === undefined ? {} : { idleMs: route.idleMs },
        ...keysOfRule(route, ruleName, gatewayKey).map((key) =>
          routeTraffic(owners.get(key)?.spec),
        ),
      ),
    ofService(key) {
      const spec = owners.get(`Service ${key}`)?.spec;
      return spec ? backendTraffic(spec) : breakers.get(key);
    },
    verdicts,
  };
}

/** A Mapping's circuit breaker is its Service's; of several Mappings the oldest has it. */
function breakersOf({ mappings }: Snapshot): ReadonlyMap<string, BackendTraffic> {
  const found = new Map<string, BackendTraffic>();
  for (const { metadata, spec } of [...mappings].sort((a, b) =>
    olderFirst(b.metadata, a.metadata),
  )) {
    const breaker = spec.circuit_breakers.find(({ priority }) => priority === "default");
    const { max_connections, max_pending_requests, max_requests, max_retries } = breaker ?? {};
    if (breaker) {
      found.set(keyOf(serviceOf(spec.service, metadata.namespace)), {
        ...(max_connections !== undefined && { maxConnections: max_connections }),
        ...(max_pending_requests !== undefined && { maxPendingRequests: max_pending_requests }),
        ...(max_requests !== undefined && { maxParallelRequests: max_requests }),
        ...(max_retries !== undefined && { maxRetries: max_retries }),
      });
    }
  }
  return found;
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

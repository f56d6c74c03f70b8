import type { BackendTraffic } from "../model/model.ts";
import type { Json } from "./envoy-config.ts";

/** How much of a backend is asked at once, and when one of its endpoints is left alone, for its cluster. */
const RETRIES_AT_ONCE = 100;
const EVERYTHING = 100;

export function backendTraffic(traffic: BackendTraffic = {}): { readonly [field: string]: Json } {
  const { maxConnections, maxPendingRequests, maxParallelRequests, retryBudget, outliers } =
    traffic;
  const { maxRetries = RETRIES_AT_ONCE } = traffic;
  return {
    circuit_breakers: {
      thresholds: [
        {
          ...(maxConnections !== undefined && { max_connections: maxConnections }),
          ...(maxPendingRequests !== undefined && { max_pending_requests: maxPendingRequests }),
          ...(maxParallelRequests !== undefined && { max_requests: maxParallelRequests }),
          ...(retryBudget
            ? {
                retry_budget: {
                  budget_percent: { value: retryBudget.percent },
                  min_retry_concurrency: retryBudget.minRetries,
                },
              }
            : { max_retries: maxRetries }),
        },
      ],
    },
    ...(outliers && { outlier_detection: outlierDetection(outliers) }),
  };
}

/** Also by what never reached an endpoint: a refused connection is an error like a 503. */
function outlierDetection(outliers: NonNullable<BackendTraffic["outliers"]>): Json {
  const enforcing = outliers.isReported ? 0 : EVERYTHING;
  return {
    consecutive_5xx: outliers.consecutiveErrors,
    enforcing_consecutive_5xx: enforcing,
    consecutive_gateway_failure: outliers.consecutiveErrors,
    enforcing_consecutive_gateway_failure: enforcing,
    enforcing_success_rate: 0,
    interval: `${outliers.intervalMs / 1000}s`,
    base_ejection_time: `${outliers.ejectionMs / 1000}s`,
    max_ejection_percent: outliers.maxEjectedPercent,
  };
}

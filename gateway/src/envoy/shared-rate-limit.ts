import type { RateLimit, Route } from "../model/model.ts";
import { ENFORCED, LIMIT, REPORTED, SAID, sayRate, UNSAID } from "../shared-limits/limit-words.ts";
import { extension, type Json, typed } from "./envoy-config.ts";
import { callerAction } from "./limited-caller.ts";

/**
 * Limits that all Envoys keep together. For what its own bucket has let through Envoy asks the
 * controller beside it, which counts in Redis; without an answer the request passes. Twice, as the limits
 * of one Envoy: before the token is looked at, and after it for what is counted by a claim.
 */
const FILTER = "envoy.filters.http.ratelimit";
const TYPES = "envoy.extensions.filters.http.ratelimit.v3";
const CLUSTER = "shared-limits";
type Fields = { readonly [field: string]: Json };
type Stage = "early" | "token";

/** What a request waits at most, when Redis or the controller does not answer. */
export const PATIENCE_MS = 50;

/** Metadata of a request, for the access log. */
export const REFUSED_BY = `${FILTER}:refused`;

export function sharedRateLimit(stage: Stage): Json {
  return extension(nameOf(stage), `${TYPES}.RateLimit`, {
    domain: SAID,
    stat_prefix: stage,
    timeout: `${PATIENCE_MS / 1000}s`,
    failure_mode_deny: false,
    disable_x_envoy_ratelimited_header: true,
    rate_limit_service: {
      grpc_service: { envoy_grpc: { cluster_name: CLUSTER } },
      transport_api_version: "V3",
    },
  });
}

function nameOf(stage: Stage): string {
  return stage === "early" ? FILTER : `${FILTER}.${stage}`;
}

/** The last filter that asks tells the client what is left to it. */
export function sharedLimitsOnRoute({ rateLimits }: Pick<Route, "rateLimits">): Fields {
  const shared = rateLimits.filter(({ isShared }) => isShared);
  const byStage = Map.groupBy(shared, ({ by }): Stage => (by.type === "Claim" ? "token" : "early"));
  const isToldLater = (byStage.get("token") ?? []).some(({ isReported }) => !isReported);
  return Object.fromEntries(
    [...byStage].map(([stage, limits]) => [
      nameOf(stage),
      typed(`${TYPES}.RateLimitPerRoute`, {
        ...(stage === "early" && isToldLater && { domain: UNSAID }),
        rate_limits: limits.map((limit) => ({ actions: descriptorOf(limit) })),
      }),
    ]),
  );
}

function descriptorOf(limit: RateLimit): Json[] {
  return [
    says(LIMIT, limit.name),
    says(limit.isReported ? REPORTED : ENFORCED, sayRate(limit)),
    ...callerAction(limit),
  ];
}

function says(descriptor_key: string, descriptor_value: string): Json {
  return { generic_key: { descriptor_key, descriptor_value } };
}

/**
 * For the bootstrap: where the controller answers. When it does not, twenty requests in a row wait, and then
 * none for half a second. Fewer would take a moment in which it rebuilds for an outage.
 */
export function sharedLimitsCluster(socket: string): Json {
  return {
    name: CLUSTER,
    type: "STATIC",
    connect_timeout: `${PATIENCE_MS / 1000}s`,
    load_assignment: {
      cluster_name: CLUSTER,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path: socket } } } }] }],
    },
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed(
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        { explicit_http_config: { http2_protocol_options: {} } },
      ),
    },
    // A panic would ask the one endpoint all the same.
    common_lb_config: { healthy_panic_threshold: { value: 0 } },
    outlier_detection: {
      consecutive_5xx: 20,
      interval: "0.25s",
      base_ejection_time: "0.5s",
      max_ejection_time: "1s",
      max_ejection_percent: 100,
    },
  };
}

import type { Host, RateLimit, Route } from "../model/model.ts";
import { compareText } from "../model/precedence.ts";
import { extension, type Json, typed } from "./envoy-config.ts";
import { CLAIMS, FILTER as JWT_FILTER } from "./jwt-authn.ts";

/**
 * Token buckets in Envoy, one for each limit and caller. The buckets are the route configuration's, so
 * that the rules of a route, and the routes of a Gateway, share one; which of them a request is
 * counted in is said by its route. Three filters: before the token is looked at (so that guessing is
 * limited too), after it (for what is counted by a claim), and one that only counts.
 */
const FILTER = "envoy.filters.http.local_ratelimit";
const STAGES = { early: 0, token: 1, reported: 2 } as const;
type Fields = { readonly [field: string]: Json };
type Stage = keyof typeof STAGES;
export type Limits = ReadonlyMap<Stage, readonly RateLimit[]>;

/** Callers that are remembered; the one that was silent longest is forgotten first. */
const CALLERS = 20_000;
const WITHOUT_LIMIT = 4_294_967_295;

/** Told to the access log, and to the service, which may look at it. */
export const WOULD_LIMIT = "x-portico-would-limit";

export function rateLimit(stage: Stage): Json {
  return extension(
    nameOf(stage),
    "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
    {
      stat_prefix: stage,
    },
  );
}

function nameOf(stage: Stage): string {
  return stage === "early" ? FILTER : `${FILTER}.${stage}`;
}

function stageOf({ isReported, by }: RateLimit): Stage {
  if (isReported) {
    return "reported";
  }
  return by.type === "Claim" ? "token" : "early";
}

/** All limits that these hosts' routes have, each once, by the filter that keeps them. */
export function limitsByStage(hosts: readonly Host[]): Limits {
  const limits = new Map(
    hosts.flatMap(({ routes }) =>
      routes.flatMap(({ rateLimits }) => rateLimits.map((limit) => [limit.name, limit] as const)),
    ),
  );
  const sorted = [...limits.values()].sort((a, b) => compareText(a.name, b.name));
  return Map.groupBy(sorted, stageOf);
}

/** The buckets, for the route configuration. */
export function bucketsOf(limits: Limits): Fields {
  if (limits.size === 0) {
    return {};
  }
  const filters = [...limits].map(([stage, these]) => [nameOf(stage), buckets(stage, these)]);
  return { typed_per_filter_config: Object.fromEntries(filters) };
}

/** A route that is counted nowhere is to have neither the work nor the headers of those that are. */
export function asleepUnlessCounted(limits: Limits, route: EnvoyRoute): EnvoyRoute {
  const { rate_limits = [] } = (route.route ?? {}) as { rate_limits?: { stage: number }[] };
  const counted = new Set(rate_limits.map(({ stage }) => stage));
  const idle = [...limits.keys()].filter((stage) => !counted.has(STAGES[stage]));
  const disabled = typed("envoy.config.route.v3.FilterConfig", { disabled: true });
  const asleep = Object.fromEntries(idle.map((stage) => [nameOf(stage), disabled]));
  return {
    ...route,
    typed_per_filter_config: { ...route.typed_per_filter_config, ...asleep },
  };
}

export interface EnvoyRoute {
  readonly name: string;
  readonly typed_per_filter_config: Fields;
  readonly [field: string]: Json | undefined;
}

function buckets(stage: Stage, limits: readonly RateLimit[]): Json {
  const percent = (numerator: number) => ({
    default_value: { numerator, denominator: "HUNDRED" },
  });
  return typed("envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit", {
    stat_prefix: stage,
    stage: STAGES[stage],
    // What none of the limits counts.
    token_bucket: {
      max_tokens: WITHOUT_LIMIT,
      tokens_per_fill: WITHOUT_LIMIT,
      fill_interval: "1s",
    },
    filter_enabled: percent(100),
    filter_enforced: percent(stage === "reported" ? 0 : 100),
    ...(stage === "reported" && {
      request_headers_to_add_when_not_enforced: [
        {
          header: { key: WOULD_LIMIT, value: "true" },
          append_action: "OVERWRITE_IF_EXISTS_OR_ADD",
        },
      ],
    }),
    ...(stage !== "reported" && { enable_x_ratelimit_headers: "DRAFT_VERSION_03" }),
    max_dynamic_descriptors: CALLERS,
    descriptors: limits.map((limit) => ({
      entries: [{ key: "limit", value: limit.name }, ...callerEntry(limit)],
      token_bucket: {
        max_tokens: limit.burst,
        tokens_per_fill: limit.requests,
        fill_interval: `${limit.perMs / 1000}s`,
      },
    })),
  });
}

/** Without a value: whatever a request has there gets a bucket of its own. */
function callerEntry({ by }: RateLimit): Json[] {
  return by.type === "Everyone" ? [] : [{ key: KEYS[by.type] }];
}

const KEYS = { ClientAddress: "masked_remote_address", Claim: "claim", Header: "header" } as const;

/** Which limits a request is counted in; a request that has no such claim or header is not. */
export function limitsOnRoute({ rateLimits }: Pick<Route, "rateLimits">): Fields {
  if (rateLimits.length === 0) {
    return {};
  }
  return {
    rate_limits: rateLimits.map((limit) => ({
      stage: STAGES[stageOf(limit)],
      actions: [
        { generic_key: { descriptor_key: "limit", descriptor_value: limit.name } },
        ...callerAction(limit),
      ],
    })),
  };
}

function callerAction({ by }: RateLimit): Json[] {
  switch (by.type) {
    case "Everyone":
      return [];
    case "ClientAddress":
      // One household or server has a /64 of IPv6, and would else have 2^64 buckets.
      return [{ masked_remote_address: { v4_prefix_mask_len: 32, v6_prefix_mask_len: 64 } }];
    case "Header":
      return [
        {
          request_headers: { header_name: (by.name ?? "").toLowerCase(), descriptor_key: "header" },
        },
      ];
    case "Claim": {
      const path = [CLAIMS, ...(by.name ?? "").split(".")].map((key) => ({ key }));
      return [
        {
          metadata: {
            descriptor_key: "claim",
            metadata_key: { key: JWT_FILTER, path },
            source: "DYNAMIC",
            skip_if_absent: true,
          },
        },
      ];
    }
  }
}

/** How long until there is a token again, at the slowest: whoever waits that long is let in. */
export function retryAfterOf(rateLimits: readonly RateLimit[]): string | undefined {
  const enforced = rateLimits.filter(({ isReported }) => !isReported);
  if (enforced.length === 0) {
    return undefined;
  }
  const seconds = enforced.map(({ requests, perMs }) => Math.ceil(perMs / requests / 1000));
  return String(Math.max(...seconds));
}

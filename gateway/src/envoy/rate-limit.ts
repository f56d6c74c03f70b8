import type { Host, RateLimit, Route } from "../model/model.ts";
import { compareText } from "../model/precedence.ts";
import { extension, type Json, typed } from "./envoy-config.ts";
import { callerAction, callerEntry } from "./limited-caller.ts";
import { PATIENCE_MS } from "./shared-rate-limit.ts";

/**
 * Token buckets in Envoy, one for each limit and caller. The buckets are the route configuration's, so
 * that the rules of a route, and the routes of a Gateway, share one; which of them a request is
 * counted in is said by its route. Three filters: before the token is looked at (so that guessing is
 * limited too), after it (for what is counted by a claim), and one that only counts. A limit that is
 * shared has its bucket here too, in front of `shared-rate-limit.ts`: floods end at it, and it holds
 * alone while nobody can say what the other Envoys let through.
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
      routes.flatMap((route) => keptHere(route).map((limit) => [limit.name, limit] as const)),
    ),
  );
  const sorted = [...limits.values()].sort((a, b) => compareText(a.name, b.name));
  return Map.groupBy(sorted, stageOf);
}

/** Who only counts what is shared has nothing to count here. */
function keptHere({ rateLimits }: Pick<Route, "rateLimits">): RateLimit[] {
  return rateLimits.filter(({ isShared, isReported }) => !(isShared && isReported));
}

/** The buckets, for the route configuration. */
export function bucketsOf(limits: Limits): Fields {
  return Object.fromEntries(
    [...limits].map(([stage, these]) => [nameOf(stage), buckets(stage, these)]),
  );
}

/** A route that is counted nowhere is to have neither the work nor the headers of those that are. */
export function asleepUnlessCounted<One extends EnvoyRoute>(limits: Limits, route: One): One {
  if (limits.size === 0) {
    return route;
  }
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
    max_dynamic_descriptors: CALLERS,
    descriptors: limits.map((limit) => ({
      entries: [{ key: "limit", value: limit.name }, ...callerEntry(limit)],
      token_bucket: {
        max_tokens: limit.burst + slackOf(limit),
        tokens_per_fill: limit.requests,
        fill_interval: `${limit.perMs / 1000}s`,
      },
    })),
  });
}

/**
 * Whoever keeps a shared limit must never be refused here: requests reach Redis at other distances than
 * they reach Envoy, by as much as one waits for the other at most.
 */
function slackOf({ isShared, requests, perMs }: RateLimit): number {
  return isShared ? Math.ceil((requests * PATIENCE_MS) / perMs) : 0;
}

/** Which limits a request is counted in; a request that has no such claim or header is not. */
export function limitsOnRoute(route: Pick<Route, "rateLimits">): Fields {
  const limits = keptHere(route);
  if (limits.length === 0) {
    return {};
  }
  // Two filters that tell the client what is left would say two things: the last one does.
  const enforced = limits.filter(({ isReported }) => !isReported);
  const isToldByShared = limits.some(({ isShared }) => isShared);
  const last = enforced.some((limit) => stageOf(limit) === "token") ? "token" : "early";
  const isTold = (limit: RateLimit) => !isToldByShared && stageOf(limit) === last;
  return {
    rate_limits: limits.map((limit) => ({
      stage: STAGES[stageOf(limit)],
      ...(isTold(limit) && { x_ratelimit_option: "DRAFT_VERSION_03" }),
      actions: [
        { generic_key: { descriptor_key: "limit", descriptor_value: limit.name } },
        ...callerAction(limit),
      ],
    })),
  };
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

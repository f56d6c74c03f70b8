import { durationMs, GATEWAY_GROUP } from "../snapshot/gateway-api.ts";
import type { AnyRoute, AnyRule } from "./any-route.ts";
import {
  corsOf,
  headerChanges,
  inOnePlace,
  mirrorsOf,
  redirectOf,
  rewriteOf,
  shareOf,
} from "./filters.ts";
import type { OurGateway } from "./gateways.ts";
import type { Destination, Mirror, RuleActions, Timeouts } from "./model.ts";
import { isRefusal, type References, type Visit } from "./references.ts";
import { findUnsupported } from "./unsupported.ts";
import type { Refusal } from "./verdict.ts";

/** What one rule does with its requests, its references followed and its filters read. */
export interface ResolvedRule {
  readonly actions: RuleActions;
  /** References that lead nowhere: their share of the requests is answered with 500. */
  readonly unresolved: readonly Refusal[];
  /** What the rule asks for that is not carried out: all its requests are answered with 500. */
  readonly unsupported?: string;
  /** The Services that it has led to. */
  readonly visits: readonly Visit[];
}

export function resolveRule(
  route: AnyRoute,
  rule: AnyRule,
  gateway: OurGateway,
  references: References,
): ResolvedRule {
  const unresolved: Refusal[] = [];
  const visits: Visit[] = [];
  const follow = (ref: Parameters<References["resolve"]>[0]) => {
    const outcome = references.resolve(
      ref,
      {
        group: route.kind === "Mapping" ? "getambassador.io" : GATEWAY_GROUP,
        kind: route.kind,
        namespace: route.metadata.namespace,
      },
      {
        isGrpc: route.kind === "GRPCRoute",
        clientCertificate: gateway.clientCertificate,
        gatewayKey: gateway.key,
        note: (visit) => visits.push(visit),
      },
    );
    if (isRefusal(outcome)) {
      unresolved.push(outcome);
      return undefined;
    }
    return outcome;
  };
  const ownChanges = headerChanges(rule.filters);
  const found = rule.backendRefs.map(({ weight, filters, ...ref }): Destination => {
    const resolved = follow(ref);
    return {
      weight,
      ...(resolved && { backend: resolved.backend.name }),
      ...(resolved?.isWebSocket && { isWebSocket: true }),
      ...headerChanges(filters),
    };
  });
  const { destinations, ...changes } = inOnePlace(found, ownChanges);
  const mirrors = mirrorsOf(rule.filters).flatMap((mirror): Mirror[] => {
    const resolved = follow(mirror.backendRef);
    return resolved ? [{ backend: resolved.backend.name, share: shareOf(mirror) }] : [];
  });
  const unsupported = findUnsupported(rule);
  return {
    unresolved,
    visits,
    ...(unsupported !== undefined && { unsupported }),
    actions: {
      timeouts: timeoutsOf(rule),
      destinations,
      ...(unsupported !== undefined && { isUnsupported: true }),
      ...changes,
      ...redirectOf(rule.filters),
      ...rewriteOf(rule.filters),
      ...(mirrors.length > 0 && { mirrors }),
      ...corsOf(rule.filters),
      ...retryOf(rule),
    },
  };
}

function timeoutsOf({ timeouts: { request, backendRequest } }: AnyRule): Timeouts {
  return {
    ...(request !== undefined && { requestMs: durationMs(request) }),
    ...(backendRequest !== undefined && { backendRequestMs: durationMs(backendRequest) }),
  };
}

function retryOf({ retry }: AnyRule): Pick<RuleActions, "retry"> {
  if (!retry) {
    return {};
  }
  const { codes, attempts, backoff } = retry;
  return {
    retry: {
      codes,
      ...(attempts !== undefined && { attempts }),
      ...(backoff !== undefined && { backoffMs: durationMs(backoff) }),
    },
  };
}

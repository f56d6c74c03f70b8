import type { HTTPRoute } from "../snapshot/http-route.ts";
import type { JWTPolicy, TargetRef } from "../snapshot/jwt-policy.ts";
import { keyOf, refOf } from "../snapshot/metadata.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { AnyRoute } from "./any-route.ts";
import type { Access, TokenIssuer } from "./model.ts";
import { olderFirst } from "./precedence.ts";
import { isRefusal, type References } from "./references.ts";
import { type Condition, fails, holds, type Refusal, type Verdict } from "./verdict.ts";

/**
 * Who may pass. A Gateway that no JWTPolicy targets is open, as the Gateway API has it, unless it
 * asks to be closed; any other is closed in every doubt: without a usable policy it refuses
 * everything that no rule opens, between two policies for one rule the stricter counts, and a
 * policy that is not valid closes what it targets.
 */
export interface Policies {
  tokenIssuerOf(gatewayKey: string): TokenIssuer | undefined;
  /** Where no rule of a route says otherwise. */
  accessByDefault(gatewayKey: string): Access;
  accessOf(route: AnyRoute, ruleName: string | undefined, gatewayKey: string): Access;
  readonly verdicts: readonly Verdict[];
}

type Requirement = "Required" | "None";

/** On a Gateway: `deny` refuses whatever nothing opens, with or without a JWTPolicy. */
const ACCESS_ANNOTATION = "gateway.portico.dev/access";

export function resolvePolicies(snapshot: Snapshot, references: References): Policies {
  const issuers = new Map<string, TokenIssuer>();
  const requirements = closedByRejection(snapshot);
  const verdicts: Verdict[] = [];
  const gateways = new Set(snapshot.gateways.map(({ metadata }) => keyOf(metadata)));
  const routes = new Map(snapshot.httpRoutes.map((route) => [keyOf(route.metadata), route]));
  const claimed = new Map<string, string>();

  for (const policy of [...snapshot.jwtPolicies].sort(strictestFirst)) {
    for (const target of policy.spec.targetRefs) {
      const refusal =
        target.kind === "Gateway"
          ? applyToGateway(policy, target, gateways, claimed)
          : applyToRoute(policy, target, routes, requirements);
      const conditions: Condition[] = [refusal ? fails("Accepted", refusal) : holds("Accepted")];
      if (target.kind === "Gateway" && !refusal) {
        conditions.push(resolveIssuer(policy, target, references, issuers));
      }
      verdicts.push(verdictOn(policy, target, conditions));
    }
  }

  const closed = closedGateways(snapshot);
  const accessByDefault = (gatewayKey: string) => {
    if (issuers.has(gatewayKey)) {
      return "token";
    }
    return closed.has(gatewayKey) ? "refused" : "open";
  };

  return {
    tokenIssuerOf: (gatewayKey) => issuers.get(gatewayKey),
    accessByDefault,
    accessOf(route, ruleName, gatewayKey) {
      const key = keyOf(route.metadata);
      // A policy for an HTTPRoute says nothing of a GRPCRoute that has its name.
      const requirement =
        route.kind === "HTTPRoute"
          ? (requirements.get(`${key}#${ruleName}`) ?? requirements.get(key))
          : undefined;
      if (requirement === "None") {
        return "open";
      }
      const access = accessByDefault(gatewayKey);
      return requirement === "Required" && access === "open" ? "refused" : access;
    },
    verdicts,
  };
}

/** Targeted by a JWTPolicy, be it a good one, or closed by name: a misspelt `deny` is not `allow`. */
function closedGateways(snapshot: Snapshot): ReadonlySet<string> {
  const asked = snapshot.gateways.flatMap(({ metadata }) =>
    (metadata.annotations[ACCESS_ANNOTATION] ?? "allow") === "allow" ? [] : [keyOf(metadata)],
  );
  const targeted = [
    ...snapshot.jwtPolicies.map(({ metadata, spec }) => ({ metadata, targets: spec.targetRefs })),
    ...snapshot.rejections.map(({ object, targets }) => ({ metadata: object, targets })),
  ].flatMap(({ metadata: { namespace }, targets }) =>
    (targets ?? []).flatMap(({ kind, name }) =>
      kind === "Gateway" ? [keyOf({ namespace, name })] : [],
    ),
  );
  return new Set([...asked, ...targeted]);
}

/** Required before None, so that the first policy to claim a rule is the one that counts. */
function strictestFirst(a: JWTPolicy, b: JWTPolicy): number {
  return (
    Number(a.spec.requirement === "None") - Number(b.spec.requirement === "None") ||
    olderFirst(a.metadata, b.metadata)
  );
}

function closedByRejection(snapshot: Snapshot): Map<string, Requirement> {
  const closed = new Map<string, Requirement>();
  for (const { object, targets } of snapshot.rejections) {
    for (const target of targets ?? []) {
      closed.set(targetKey(object.namespace, target), "Required");
    }
  }
  return closed;
}

function targetKey(namespace: string, target: { name: string; sectionName?: string }): string {
  const key = keyOf({ namespace, name: target.name });
  return target.sectionName === undefined ? key : `${key}#${target.sectionName}`;
}

function applyToGateway(
  policy: JWTPolicy,
  target: TargetRef,
  gateways: ReadonlySet<string>,
  claimed: Map<string, string>,
): Refusal | undefined {
  const key = targetKey(policy.metadata.namespace, target);
  if (!gateways.has(key)) {
    return { reason: "TargetNotFound", message: `there is no Gateway ${key}` };
  }
  const earlier = claimed.get(key);
  if (earlier !== undefined) {
    return { reason: "Conflicted", message: `JWTPolicy ${earlier} has Gateway ${key} already` };
  }
  claimed.set(key, policy.metadata.name);
  return undefined;
}

function resolveIssuer(
  policy: JWTPolicy,
  target: TargetRef,
  references: References,
  issuers: Map<string, TokenIssuer>,
): Condition {
  const { issuer, audiences, jwks, extractFrom } = policy.spec;
  if (issuer === undefined || audiences === undefined || jwks === undefined) {
    throw new Error("A JWTPolicy on a Gateway passed its schema without issuer, audiences or jwks");
  }
  const outcome = references.resolve(jwks.backendRef, {
    group: "gateway.portico.dev",
    kind: "JWTPolicy",
    namespace: policy.metadata.namespace,
  });
  if (isRefusal(outcome)) {
    return fails("ResolvedRefs", outcome);
  }
  const url = `http://${outcome.authority}${jwks.path}`;
  const key = targetKey(policy.metadata.namespace, target);
  const cookies = extractFrom?.cookies ?? [];
  issuers.set(key, { issuer, audiences, jwks: { backend: outcome.backend.name, url }, cookies });
  return holds("ResolvedRefs");
}

function applyToRoute(
  policy: JWTPolicy,
  target: TargetRef,
  routes: ReadonlyMap<string, HTTPRoute>,
  requirements: Map<string, Requirement>,
): Refusal | undefined {
  const { namespace } = policy.metadata;
  const routeKey = keyOf({ namespace, name: target.name });
  const route = routes.get(routeKey);
  const { requirement } = policy.spec;
  if (!route || requirement === undefined) {
    return { reason: "TargetNotFound", message: `there is no HTTPRoute ${routeKey}` };
  }
  if (target.sectionName && !route.spec.rules.some((rule) => rule.name === target.sectionName)) {
    const message = `HTTPRoute ${routeKey} has no rule named ${target.sectionName}`;
    return { reason: "TargetNotFound", message };
  }
  const key = targetKey(namespace, target);
  const earlier = requirements.get(key);
  if (earlier !== undefined && earlier !== requirement) {
    return { reason: "Conflicted", message: "another JWTPolicy requires a token here; it counts" };
  }
  requirements.set(key, requirement);
  return undefined;
}

function verdictOn(policy: JWTPolicy, target: TargetRef, conditions: Condition[]): Verdict {
  const { namespace, generation } = policy.metadata;
  const { kind, name, sectionName } = target;
  return {
    object: refOf("JWTPolicy", policy.metadata),
    generation,
    parent: { kind, namespace, name, sectionName },
    conditions,
  };
}

import type { JWTPolicy, TokenProvider as ProviderSpec } from "../snapshot/jwt-policy.ts";
import { keyOf, refOf } from "../snapshot/metadata.ts";
import type { TargetRef } from "../snapshot/policy-target.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { AnyRoute } from "./any-route.ts";
import type { Access, Demand, RulePolicies, TokenIssuer, TokenProvider } from "./model.ts";
import type { Targets } from "./policy-targets.ts";
import { olderFirst } from "./precedence.ts";
import { type RateLimits, resolveRateLimits } from "./rate-limits.ts";
import { isRefusal, type References, type Visit } from "./references.ts";
import { createMemory } from "./remember.ts";
import type { Traffic } from "./traffic.ts";
import { type Condition, fails, holds, type Refusal, type Verdict } from "./verdict.ts";

/**
 * Who may pass. A Gateway that no JWTPolicy targets is open, as the Gateway API has it, unless it
 * asks to be closed; any other is closed in every doubt: without a usable policy it refuses
 * everything that no rule opens, between two policies for one rule the stricter counts, and a
 * policy that is not valid closes what it targets. A policy in report mode opens and closes nothing:
 * all is decided as if it were not there, and what it would have refused is counted.
 */
export interface Policies {
  tokenIssuerOf(gatewayKey: string): TokenIssuer | undefined;
  /** Where no rule of a route says otherwise. */
  accessByDefault(gatewayKey: string): Access;
  onRule(route: AnyRoute, ruleName: string | undefined, gatewayKey: string): RulePolicies;
  readonly verdicts: readonly Verdict[];
  /** The Services that it has led to. */
  readonly visits: readonly Visit[];
}

type Requirement = "Required" | "None";

/** On a Gateway: `deny` refuses whatever nothing opens, with or without a JWTPolicy. */
const ACCESS_ANNOTATION = "gateway.portico.dev/access";

/** What the policies come to, by the key of what they target. */
interface Resolved {
  readonly issuers: Map<string, TokenIssuer>;
  readonly requirements: Map<string, Requirement>;
  readonly demands: Map<string, Demand[]>;
  /** Of Gateways whose policy is in report mode: that a token is there at all. */
  readonly reported: Map<string, Demand>;
  readonly visits: Visit[];
}

export function resolvePolicies(
  snapshot: Snapshot,
  references: References,
  traffic: Traffic,
  targets: Targets,
  sharesLimits: boolean,
): Policies {
  const resolved: Resolved = {
    issuers: new Map(),
    requirements: closedByRejection(snapshot),
    demands: new Map(),
    reported: new Map(),
    visits: [],
  };
  const gateways = new Set(snapshot.gateways.map(({ metadata }) => keyOf(metadata)));
  const claimed = new Map<string, string>();

  const verdicts = [...snapshot.jwtPolicies].sort(strictestFirst).flatMap((policy) =>
    policy.spec.targetRefs.map((target) => {
      if (target.kind === "HTTPRoute") {
        return verdictOn(policy, target, [
          accepted(applyToRoute(policy, target, targets, resolved)),
        ]);
      }
      const refusal = claimGateway(policy, target, gateways, claimed);
      const more = refusal ? [] : [resolveIssuer(policy, target, references, resolved)];
      return verdictOn(policy, target, [accepted(refusal), ...more]);
    }),
  );
  const rateLimits = resolveRateLimits(snapshot, targets, sharesLimits);
  return {
    ...answersFrom(resolved, closedGateways(snapshot), rateLimits, traffic),
    verdicts: [...verdicts, ...rateLimits.verdicts, ...traffic.verdicts],
    visits: resolved.visits,
  };
}

function accepted(refusal: Refusal | undefined): Condition {
  return refusal ? fails("Accepted", refusal) : holds("Accepted");
}

function answersFrom(
  { issuers, requirements, demands, reported }: Resolved,
  closed: ReadonlySet<string>,
  rateLimits: RateLimits,
  traffic: Traffic,
): Omit<Policies, "verdicts" | "visits"> {
  const accessByDefault = (gatewayKey: string) => {
    if (issuers.has(gatewayKey) && !reported.has(gatewayKey)) {
      return "token";
    }
    return closed.has(gatewayKey) ? "refused" : "open";
  };
  const requirementOf = (key: string, ruleName: string | undefined) =>
    requirements.get(`${key}#${ruleName}`) ?? requirements.get(key);

  return {
    tokenIssuerOf: (gatewayKey) => issuers.get(gatewayKey),
    accessByDefault,
    onRule(route, ruleName, gatewayKey) {
      const key = targeted(route);
      const requirement = route.isOpen ? "None" : requirementOf(key, ruleName);
      const access = accessOfRule(requirement, gatewayKey);
      const asked = demandsOf(key, ruleName, requirement, gatewayKey);
      const isLookedAt = access === "open" && issuers.has(gatewayKey) && asked.length > 0;
      return {
        access: isLookedAt ? "optional" : access,
        demands: asked,
        rateLimits: rateLimits.ofRule(route, ruleName, gatewayKey),
        traffic: traffic.ofRule(route, ruleName, gatewayKey),
      };
    },
  };

  function accessOfRule(requirement: Requirement | undefined, gatewayKey: string): Access {
    if (requirement === undefined) {
      return accessByDefault(gatewayKey);
    }
    if (requirement === "None") {
      return "open";
    }
    return issuers.has(gatewayKey) ? "token" : "refused";
  }

  function demandsOf(
    key: string,
    ruleName: string | undefined,
    requirement: Requirement | undefined,
    gatewayKey: string,
  ) {
    const nearest = (isReported: boolean) => {
      const of = (one: string) =>
        (demands.get(one) ?? []).filter((demand) => demand.isReported === isReported);
      const onRule = of(`${key}#${ruleName}`);
      return onRule.length > 0 ? onRule : of(key);
    };
    const byGateway = requirement === undefined ? reported.get(gatewayKey) : undefined;
    return [
      ...(requirement === "Required" ? nearest(false).filter(asksForMore) : []),
      ...nearest(true),
      ...(byGateway ? [byGateway] : []),
    ];
  }
}

/** A policy for an HTTPRoute says nothing of a GRPCRoute that has its name. */
function targeted({ kind, metadata }: AnyRoute): string {
  return kind === "HTTPRoute" ? keyOf(metadata) : `${kind} ${keyOf(metadata)}`;
}

/** Than a good token, which is the route's access already. */
function asksForMore({ scopes, claims }: Demand): boolean {
  return scopes.length + claims.length > 0;
}

const memory = createMemory<Demand>();

function demandOf(policy: JWTPolicy): Demand {
  const { metadata, spec } = policy;
  return memory(policy, [], () => ({
    policy: keyOf(metadata),
    isReported: spec.mode === "Report",
    scopes: spec.scopes ?? [],
    claims: spec.claims ?? [],
  }));
}

/** Targeted by a JWTPolicy, be it a good one, or closed by name: a misspelt `deny` is not `allow`. */
function closedGateways(snapshot: Snapshot): ReadonlySet<string> {
  const asked = snapshot.gateways.flatMap(({ metadata }) =>
    (metadata.annotations[ACCESS_ANNOTATION] ?? "allow") === "allow" ? [] : [keyOf(metadata)],
  );
  const targeted = [
    ...snapshot.jwtPolicies
      .filter(({ spec }) => spec.mode === "Enforce")
      .map(({ metadata, spec }) => ({ metadata, targets: spec.targetRefs })),
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

function claimGateway(
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
  { issuers, reported, visits }: Resolved,
): Condition {
  const { issuer, audiences, jwks, extractFrom, claimsToHeaders, providers = [] } = policy.spec;
  if (issuer === undefined || audiences === undefined || jwks === undefined) {
    throw new Error("A JWTPolicy on a Gateway passed its schema without issuer, audiences or jwks");
  }
  const key = targetKey(policy.metadata.namespace, target);
  if (policy.spec.mode === "Report") {
    reported.set(key, demandOf(policy));
  }
  const resolved: TokenProvider[] = [];
  for (const spec of [{ issuer, audiences, jwks, extractFrom, claimsToHeaders }, ...providers]) {
    const provider = resolveProvider(spec, policy.metadata.namespace, references, visits);
    if ("reason" in provider) {
      return fails("ResolvedRefs", provider);
    }
    resolved.push(provider);
  }
  issuers.set(key, { providers: resolved });
  return holds("ResolvedRefs");
}

function resolveProvider(
  { issuer, audiences, jwks, extractFrom, claimsToHeaders }: ProviderSpec,
  namespace: string,
  references: References,
  visits: Visit[],
): TokenProvider | Refusal {
  const from = { group: "gateway.portico.dev", kind: "JWTPolicy", namespace };
  const outcome = references.resolve(jwks.backendRef, from, {
    note: (visit) => visits.push(visit),
  });
  if (isRefusal(outcome)) {
    return outcome;
  }
  return {
    issuer,
    audiences,
    jwks: { backend: outcome.backend.name, url: `http://${outcome.authority}${jwks.path}` },
    cookies: extractFrom?.cookies ?? [],
    claimsToHeaders: claimsToHeaders ?? [],
  };
}

function applyToRoute(
  policy: JWTPolicy,
  target: TargetRef,
  targets: Targets,
  { requirements, demands }: Resolved,
): Refusal | undefined {
  const { namespace } = policy.metadata;
  const { requirement } = policy.spec;
  const missing = targets.refuse(namespace, target);
  if (missing) {
    return missing;
  }
  if (requirement === undefined) {
    throw new Error("A JWTPolicy on a route passed its schema without requirement");
  }
  const key = targetKey(namespace, target);
  if (requirement === "Required") {
    demands.set(key, [...(demands.get(key) ?? []), demandOf(policy)]);
  }
  if (policy.spec.mode === "Report") {
    return undefined;
  }
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

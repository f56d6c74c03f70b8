import { keyOf } from "../snapshot/metadata.ts";
import type { AnyRoute, AnyRule } from "./any-route.ts";
import type { Attachment } from "./attachments.ts";
import type { OurGateway } from "./gateways.ts";
import type { ListenerState } from "./listeners.ts";
import type { Redirect, Route, RulePolicies } from "./model.ts";
import type { Policies } from "./policies.ts";
import { byPrecedence, type Candidate } from "./precedence.ts";
import { isSame } from "./remember.ts";
import type { ResolvedRule } from "./rules.ts";

/** Attached routes in the order in which their matches are tried. */
export type CompileRoutes = (
  attachments: readonly Attachment[],
  rules: RuleResolver,
  policies: Policies,
) => Route[];

export type RuleResolver = (route: AnyRoute, gateway: OurGateway) => readonly ResolvedRule[];

/** A match with what becomes of it. */
interface Compiled extends Candidate {
  readonly route: Route;
}

interface Remembered {
  readonly resolved: readonly ResolvedRule[];
  readonly policies: Policies;
  readonly ofRules: readonly RulePolicies[];
  readonly compiled: readonly Compiled[];
}

/** Remembers what it has compiled, and what its policies were. */
export function createRouteCompiler(): CompileRoutes {
  const known = new WeakMap<Attachment, Remembered>();

  function compile(attachment: Attachment, rules: RuleResolver, policies: Policies) {
    const { route, gateway } = attachment;
    const resolved = rules(route, gateway);
    const before = known.get(attachment);
    const hasSameRules = before?.resolved === resolved;
    if (before && hasSameRules && before.policies === policies) {
      return before.compiled;
    }
    const ofRules = route.rules.map(({ name }) => policies.onRule(route, name, gateway.key));
    const isKnown =
      hasSameRules && ofRules.every((one, index) => isSamePolicies(one, before.ofRules[index]));
    const compiled = isKnown ? before.compiled : compileRoute(attachment, resolved, ofRules);
    known.set(attachment, { resolved, policies, ofRules, compiled });
    return compiled;
  }

  return (attachments, rules, policies) =>
    attachments
      .flatMap((attachment) => compile(attachment, rules, policies))
      .sort(byPrecedence)
      .map(({ route }) => route);
}

function isSamePolicies(one: RulePolicies, other: RulePolicies | undefined): boolean {
  return (
    other !== undefined &&
    one.access === other.access &&
    isSame(one.demands, other.demands) &&
    isSame(one.rateLimits, other.rateLimits) &&
    isSame(Object.entries(one.traffic).flat(), Object.entries(other.traffic).flat())
  );
}

function compileRoute(
  attachment: Attachment,
  resolved: readonly ResolvedRule[],
  policies: readonly RulePolicies[],
): Compiled[] {
  const { route } = attachment;
  return route.rules.flatMap((rule, ruleIndex) =>
    rule.matches.map((match, matchIndex): Compiled => {
      const candidate = {
        ...{ match, metadata: route.metadata, ruleIndex, matchIndex },
        ...(route.precedence !== undefined && { precedence: route.precedence }),
        ...(route.isImplied && { isImplied: true }),
      };
      const about = {
        rule,
        attachment,
        resolved: resolved[ruleIndex],
        policies: policies[ruleIndex],
      };
      return { ...candidate, route: routeOf({ ...candidate, ...about }) };
    }),
  );
}

function routeOf({
  match,
  metadata,
  rule,
  ruleIndex,
  policies,
  attachment: { listener, route },
  resolved,
}: Candidate & {
  readonly rule: AnyRule;
  readonly policies: RulePolicies | undefined;
  readonly attachment: Attachment;
  readonly resolved: ResolvedRule | undefined;
}): Route {
  const { grpc, ...request } = match;
  const actions = resolved?.actions ?? { timeouts: {}, destinations: [] };
  return {
    name: `${keyOf(metadata)}/${rule.name ?? ruleIndex}`,
    match: request,
    ...(grpc && { isGrpc: true }),
    ...(policies ?? REFUSED),
    ...actions,
    ...(actions.redirect && {
      // Emissary's goes to the host that it names, and adds nothing.
      redirect:
        route.kind === "Mapping" ? actions.redirect : onListener(actions.redirect, listener),
    }),
  };
}

const REFUSED: RulePolicies = { access: "refused", demands: [], rateLimits: [], traffic: {} };

/**
 * The port of a redirect: the one that was asked for, else that of the scheme, else the listener's
 * own. One that goes without saying is not said, unless the client's own Host may say another.
 */
function onListener({ port, ...redirect }: Redirect, { listener }: ListenerState): Redirect {
  const own = listener.protocol === "HTTPS" ? "https" : "http";
  const usual = { http: 80, https: 443 }[redirect.scheme ?? own];
  const wanted = port ?? (redirect.scheme === undefined ? listener.port : usual);
  const isAlone =
    redirect.hostname === undefined && listener.port !== { http: 80, https: 443 }[own];
  return wanted === usual && !isAlone ? redirect : { ...redirect, port: wanted };
}

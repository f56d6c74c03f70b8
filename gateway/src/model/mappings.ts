import { HTTPRoute } from "../snapshot/http-route.ts";
import type { Mapping } from "../snapshot/mapping.ts";
import { keyOf, refOf } from "../snapshot/metadata.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { AnyRoute } from "./any-route.ts";
import { defaultGateway } from "./default-gateway.ts";
import type { Gateways } from "./gateways.ts";
import { ruleOfMapping, serviceOf } from "./mapping-rule.ts";
import { compareText, olderFirst } from "./precedence.ts";
import { fails, holds, type Verdict } from "./verdict.ts";

/**
 * Emissary's Mappings as routes on the default Gateway. Mappings for the same requests are one route
 * whose backends share by weight.
 */
export interface Mappings {
  readonly routes: readonly AnyRoute[];
  readonly verdicts: readonly Verdict[];
}

export function routesOfMappings(snapshot: Snapshot, gateways: Gateways): Mappings {
  const gateway = defaultGateway(snapshot, gateways);
  const sorted = [...snapshot.mappings].sort((a, b) => olderFirst(a.metadata, b.metadata));
  const routes: AnyRoute[] = [];
  const verdicts: Verdict[] = [];
  for (const group of Map.groupBy(sorted, requestsOf).values()) {
    const [first, ...others] = group;
    if (!first) {
      continue;
    }
    const route = routeOf(first, group, gateway);
    if (typeof route === "string") {
      const refusal = { reason: "Invalid", message: route };
      verdicts.push(...group.map((mapping) => verdictOn(mapping, fails("Accepted", refusal))));
    } else {
      routes.push(route);
      const message = `shares its requests with Mapping ${keyOf(first.metadata)}`;
      verdicts.push(...others.map((mapping) => verdictOn(mapping, holds("Accepted", message))));
    }
  }
  return { routes, verdicts };
}

/** Equal for Mappings that would have the same requests. */
function requestsOf({ metadata, spec }: Mapping): string {
  const of = (record: object) => Object.entries(record).sort(([a], [b]) => compareText(a, b));
  return JSON.stringify([
    ...[metadata.namespace, spec.hostname ?? spec.host, spec.prefix, spec.prefix_regex],
    ...[spec.prefix_exact, spec.method, spec.precedence, spec.bypass_auth],
    ...[of(spec.headers), of(spec.regex_headers)],
    ...[of(spec.query_parameters), of(spec.regex_query_parameters)],
  ]);
}

function routeOf(
  { metadata, spec }: Mapping,
  group: readonly Mapping[],
  gateway: { namespace: string; name: string } | undefined,
): AnyRoute | string {
  if (!gateway) {
    return "there is no Gateway to route on";
  }
  const hostname = spec.hostname ?? spec.host;
  const parsed = HTTPRoute.safeParse({
    metadata,
    spec: {
      parentRefs: [{ namespace: gateway.namespace, name: gateway.name }],
      hostnames: hostname === undefined || hostname === "*" ? [] : [hostname],
      rules: [ruleOfMapping(spec, backendsOf(group))],
    },
  });
  if (!parsed.success) {
    return parsed.error.issues
      .map(({ message, path }) => `${path.map(String).join(".")}: ${message}`)
      .join("; ");
  }
  const { parentRefs, hostnames, rules } = parsed.data.spec;
  return {
    ...{ kind: "Mapping", metadata, parentRefs, hostnames, rules },
    precedence: spec.precedence,
    isOpen: spec.bypass_auth,
    ...(spec.idle_timeout_ms !== undefined && { idleMs: spec.idle_timeout_ms }),
  };
}

/** Weights are of a hundred; those that say none share what is left. */
function backendsOf(group: readonly Mapping[]): object[] {
  const said = group.reduce((sum, { spec }) => sum + (spec.weight ?? 0), 0);
  const silent = group.filter(({ spec }) => spec.weight === undefined).length;
  const rest = silent === 0 ? 0 : Math.max(0, 100 - said) / silent;
  return group.map(({ metadata, spec }) => ({
    ...serviceOf(spec.service, metadata.namespace),
    weight: group.length === 1 ? 1 : Math.round(spec.weight ?? rest),
  }));
}

function verdictOn({ metadata }: Mapping, condition: Verdict["conditions"][number]): Verdict {
  return {
    object: refOf("Mapping", metadata),
    generation: metadata.generation,
    conditions: [condition],
  };
}

import { HTTPRoute } from "../snapshot/http-route.ts";
import { type Mapping, TOLD_FIELDS } from "../snapshot/mapping.ts";
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
    const { serving, shadow, refused } = rolesIn(group);
    verdicts.push(...refused.map(([mapping, message]) => refuse(mapping, message)));
    const [first, ...others] = serving;
    const followers = [...others, ...(shadow ? [shadow] : [])];
    const route = first && routeOf(first, { serving, shadow }, gateway);
    if (first === undefined) {
      verdicts.push(...followers.map((one) => refuse(one, "there is no Mapping for it to copy")));
    } else if (typeof route === "string") {
      verdicts.push(...[first, ...followers].map((one) => refuse(one, route)));
    } else if (route) {
      routes.push(route);
      const message = `shares its requests with Mapping ${keyOf(first.metadata)}, whose other settings count`;
      verdicts.push(...followers.map((one) => verdictOn(one, holds("Accepted", message))));
    }
  }
  return { routes, verdicts };
}

interface Roles {
  /** The first one is the route; the others have a share of its requests. */
  readonly serving: readonly Mapping[];
  /** Is sent a copy of them. */
  readonly shadow: Mapping | undefined;
  readonly refused: readonly (readonly [Mapping, string])[];
}

/** Weights are of a hundred: whoever would go beyond it is left out, and the older ones stay. */
function rolesIn(group: readonly Mapping[]): Roles {
  const [shadow, ...spare] = group.filter(({ spec }) => spec.shadow);
  const serving: Mapping[] = [];
  const refused = spare.map((one): [Mapping, string] => [
    one,
    `Mapping ${shadow && keyOf(shadow.metadata)} has the shadow of these requests already`,
  ]);
  let sum = 0;
  for (const mapping of group.filter(({ spec }) => !spec.shadow)) {
    const weight = mapping.spec.weight ?? 0;
    if (sum + weight > WHOLE) {
      const message = `spec.weight: with ${weight} the Mappings for these requests have more than 100`;
      refused.push([mapping, message]);
    } else {
      sum += weight;
      serving.push(mapping);
    }
  }
  return { serving, shadow, refused };
}

const WHOLE = 100;

/** Equal for Mappings that would have the same requests. */
function requestsOf({ metadata, spec }: Mapping): string {
  const of = (record: object) => Object.entries(record).sort(([a], [b]) => compareText(a, b));
  return JSON.stringify([
    ...[metadata.namespace, spec.hostname ?? spec.host, spec.prefix, spec.prefix_regex],
    ...[spec.prefix_exact, spec.method, spec.precedence, spec.bypass_auth, spec.host_redirect],
    ...[of(spec.headers), of(spec.regex_headers)],
    ...[of(spec.query_parameters), of(spec.regex_query_parameters)],
  ]);
}

function routeOf(
  { metadata, spec }: Mapping,
  { serving, shadow }: Omit<Roles, "refused">,
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
      rules: [ruleOfMapping(spec, backendsOf(serving), shadow ? [copyFor(shadow)] : [])],
    },
  });
  if (!parsed.success) {
    return parsed.error.issues
      .map(({ message, path }) => `${path.map(String).join(".")}: ${message}`)
      .join("; ");
  }
  const { parentRefs, hostnames, rules } = parsed.data.spec;
  const note = noteOn(spec);
  return {
    ...{ kind: "Mapping", metadata, parentRefs, hostnames, rules },
    precedence: spec.precedence,
    isOpen: spec.bypass_auth,
    ...(spec.idle_timeout_ms !== undefined && { idleMs: spec.idle_timeout_ms }),
    ...(note !== undefined && { note }),
  };
}

/** What of it changes nothing here, since Envoy finds the endpoints in another way than Emissary's. */
function noteOn(spec: Mapping["spec"]): string | undefined {
  const told = TOLD_FIELDS.filter((field) => spec[field] !== undefined);
  const both = spec.hostname !== undefined && spec.host !== undefined;
  const fields = [...told, ...(both ? ["host (hostname counts)"] : [])];
  return fields.length > 0 ? `is served; not carried out: ${fields.join(", ")}` : undefined;
}

/** Those that say no weight share what is left; when nobody says none, they are in proportion. */
function backendsOf(serving: readonly Mapping[]): object[] {
  const said = serving.reduce((sum, { spec }) => sum + (spec.weight ?? 0), 0);
  const silent = serving.filter(({ spec }) => spec.weight === undefined).length;
  const rest = silent === 0 ? 0 : (WHOLE - said) / silent;
  return serving.map(({ metadata, spec }) => ({
    ...serviceOf(spec.service, metadata.namespace),
    // In hundredths, so that a third is one.
    weight: serving.length === 1 ? 1 : Math.round((spec.weight ?? rest) * 100),
  }));
}

function copyFor({ metadata, spec }: Mapping): object {
  const backendRef = serviceOf(spec.service, metadata.namespace);
  const percent = spec.weight ?? WHOLE;
  return { type: "RequestMirror", requestMirror: { backendRef, percent } };
}

function refuse(mapping: Mapping, message: string): Verdict {
  return verdictOn(mapping, fails("Accepted", { reason: "Invalid", message }));
}

function verdictOn({ metadata }: Mapping, condition: Verdict["conditions"][number]): Verdict {
  return {
    object: refOf("Mapping", metadata),
    generation: metadata.generation,
    conditions: [condition],
  };
}

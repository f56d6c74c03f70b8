import type { Service } from "../snapshot/core.ts";
import type { Gateway } from "../snapshot/gateway.ts";
import type { HTTPRoute } from "../snapshot/http-route.ts";
import { keyOf, type Metadata, type ObjectRef } from "../snapshot/metadata.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { createListMemory, isSame } from "./remember.ts";
import type { Refusal } from "./verdict.ts";

/** What policies are attached to, and under which key it is kept: `kind namespace/name`, `#rule`. */

export interface Target {
  readonly kind: string;
  readonly name: string;
  readonly sectionName?: string;
}

export interface Targets {
  /** Why a policy of a namespace cannot be attached there, if it cannot. */
  refuse(namespace: string, target: Target): Refusal | undefined;
}

export function targetKey(namespace: string, { kind, name, sectionName }: Target): string {
  const key = `${kind} ${keyOf({ namespace, name })}`;
  return sectionName === undefined ? key : `${key}#${sectionName}`;
}

/** The keys under which policies reach one rule, from the widest to the nearest. */
export function keysOfRule(
  route: { readonly kind: string; readonly metadata: Metadata },
  ruleName: string | undefined,
  gatewayKey: string,
): string[] {
  const ofRoute = `${route.kind} ${keyOf(route.metadata)}`;
  const ofRule = ruleName === undefined ? [] : [`${ofRoute}#${ruleName}`];
  return [`Gateway ${gatewayKey}`, ofRoute, ...ofRule];
}

/** The same Targets as before, as long as everything has the name that it had. */
export function createTargetsReader(): (snapshot: Snapshot) => Targets {
  const ofGateways = createListMemory<Gateway, string>();
  const ofRoutes = createListMemory<HTTPRoute, string>();
  const ofServices = createListMemory<Service, string>();
  let known: { readonly keys: readonly string[]; readonly targets: Targets } | undefined;
  return ({ gateways, httpRoutes, services }) => {
    const keys = [
      ...ofGateways(gateways, [], (gateway) => keysOf("Gateway", gateway)),
      ...ofRoutes(httpRoutes, [], (route) => keysOf("HTTPRoute", route, route.spec.rules)),
      ...ofServices(services, [], (service) => keysOf("Service", service)),
    ];
    if (!known || !isSame(known.keys, keys)) {
      known = { keys, targets: targetsOf(new Set(keys.flatMap((some) => some.split(SEPARATOR)))) };
    }
    return known.targets;
  };
}

function targetsOf(known: ReadonlySet<string>): Targets {
  return {
    refuse(namespace, target) {
      const { kind, name, sectionName } = target;
      const whole = `${kind} ${keyOf({ namespace, name })}`;
      if (!known.has(whole)) {
        return { reason: "TargetNotFound", message: `there is no ${whole}` };
      }
      return known.has(targetKey(namespace, target))
        ? undefined
        : { reason: "TargetNotFound", message: `${whole} has no rule named ${sectionName}` };
    },
  };
}

/** Its own, and those of its rules that have a name. As one text, which is quickly compared. */
function keysOf(
  kind: string,
  { metadata }: { readonly metadata: Metadata },
  rules: readonly { readonly name?: string | undefined }[] = [],
): string {
  const key = `${kind} ${keyOf(metadata)}`;
  const ofRules = rules.flatMap(({ name }) => (name === undefined ? [] : [`${key}#${name}`]));
  return [key, ...ofRules].join(SEPARATOR);
}

/** Nothing that names something has it. */
const SEPARATOR = " | ";

export function parentOf(namespace: string, { kind, name, sectionName }: Target) {
  const parent: ObjectRef & { readonly sectionName?: string } = { kind, namespace, name };
  return sectionName === undefined ? parent : { ...parent, sectionName };
}

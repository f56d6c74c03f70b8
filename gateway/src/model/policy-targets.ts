import { keyOf, type Metadata, type ObjectRef } from "../snapshot/metadata.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { createMemory, isSame } from "./remember.ts";
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
  let known: { readonly keys: readonly string[]; readonly targets: Targets } | undefined;
  return (snapshot) => {
    const keys = [
      ...snapshot.gateways.flatMap((gateway) => keysOf("Gateway", gateway)),
      ...snapshot.httpRoutes.flatMap((route) => keysOf("HTTPRoute", route, route.spec.rules)),
      ...snapshot.services.flatMap((service) => keysOf("Service", service)),
    ];
    if (!known || !isSame(known.keys, keys)) {
      known = { keys, targets: targetsOf(new Set(keys)) };
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

const memory = createMemory<readonly string[]>();

/** Its own, and those of its rules that have a name. */
function keysOf(
  kind: string,
  object: { readonly metadata: Metadata },
  rules: readonly { readonly name?: string | undefined }[] = [],
): readonly string[] {
  return memory(object, [], () => {
    const key = `${kind} ${keyOf(object.metadata)}`;
    const ofRules = rules.flatMap(({ name }) => (name === undefined ? [] : [`${key}#${name}`]));
    return [key, ...ofRules];
  });
}

export function parentOf(namespace: string, { kind, name, sectionName }: Target) {
  const parent: ObjectRef & { readonly sectionName?: string } = { kind, namespace, name };
  return sectionName === undefined ? parent : { ...parent, sectionName };
}

import { keyOf, type Metadata, type ObjectRef } from "../snapshot/metadata.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
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

export function readTargets(snapshot: Snapshot): Targets {
  const known = new Set([
    ...keysOf("Gateway", snapshot.gateways),
    ...keysOf("HTTPRoute", snapshot.httpRoutes),
    ...keysOf("Service", snapshot.services),
    ...snapshot.httpRoutes.flatMap(({ metadata, spec }) =>
      spec.rules.flatMap(({ name }) =>
        name === undefined ? [] : [`HTTPRoute ${keyOf(metadata)}#${name}`],
      ),
    ),
  ]);
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

function keysOf(kind: string, objects: readonly { readonly metadata: Metadata }[]): string[] {
  return objects.map(({ metadata }) => `${kind} ${keyOf(metadata)}`);
}

export function parentOf(namespace: string, { kind, name, sectionName }: Target) {
  const parent: ObjectRef & { readonly sectionName?: string } = { kind, namespace, name };
  return sectionName === undefined ? parent : { ...parent, sectionName };
}

import { CONTROLLER_NAME } from "../model/gateways.ts";
import { SUPPORTED_FEATURES } from "../model/supported-features.ts";
import { type Condition, isBadNews, type Verdict } from "../model/verdict.ts";
import type { ObjectRef } from "../snapshot/metadata.ts";

/**
 * The status of an object as its CRD has it, from what was made of the object. What others wrote
 * stays: entries of other controllers, and conditions of types that this one never sets.
 */
export interface Status {
  readonly [field: string]: unknown;
}

interface StatusCondition extends Omit<Condition, "status"> {
  readonly status: string;
  readonly observedGeneration?: number;
  readonly lastTransitionTime: string;
}

const GATEWAY_API = "gateway.networking.k8s.io";
/** The CRDs take no more. */
const MOST_ENTRIES = { parents: 32, ancestors: 16 } as const;
const LONGEST_MESSAGE = 32_000;

/** Every type that this controller sets anywhere; those left over from an earlier verdict go. */
const OURS: ReadonlySet<string> = new Set<Condition["type"]>([
  ...(["Accepted", "Programmed", "ResolvedRefs", "Conflicted", "PartiallyInvalid"] as const),
  ...(["InsecureFrontendValidationMode", "SupportedVersion"] as const),
]);

/** Undefined: objects of this kind have no status of ours. */
export function statusOf(
  kind: string,
  verdicts: readonly Verdict[],
  current: unknown,
  now: string,
): Status | undefined {
  const before = (current ?? {}) as Status;
  if (kind === "GatewayClass" || kind === "Gateway" || kind === "ListenerSet") {
    return withListeners(kind, verdicts, before, now);
  }
  if (kind.endsWith("Route")) {
    return withEntries("parents", "parentRef", verdicts, before, now);
  }
  if (kind.endsWith("Policy")) {
    return withEntries("ancestors", "ancestorRef", verdicts, before, now);
  }
  if (kind === "Mapping") {
    return verdicts.length > 0 ? { ...before, ...mappingStatus(verdicts) } : undefined;
  }
  return undefined;
}

/** Emissary's own words. Its CRD has room for one reason, and none for who says so. */
function mappingStatus(verdicts: readonly Verdict[]): Status {
  const bad = verdicts.flatMap(({ conditions }) => conditions.filter(isBadNews));
  const said = bad.length > 0 ? bad : verdicts.flatMap(({ conditions }) => conditions);
  const reason = [...new Set(said.map(({ message }) => message))].filter((one) => one !== "");
  return {
    state: bad.length > 0 ? "Inactive" : "Running",
    reason: reason.join("; ").slice(0, LONGEST_MESSAGE),
  };
}

function withListeners(
  kind: string,
  verdicts: readonly Verdict[],
  before: Status,
  now: string,
): Status {
  const whole = verdicts.find(({ listener }) => listener === undefined);
  const listeners = verdicts.filter(({ listener }) => listener !== undefined);
  const known = listOf(before.listeners);
  return withoutAbsent({
    ...before,
    ...(whole?.addresses && { addresses: whole.addresses }),
    ...(kind === "GatewayClass" && {
      supportedFeatures: SUPPORTED_FEATURES.map((name) => ({ name })),
    }),
    attachedListenerSets: whole?.attachedListenerSets,
    conditions: whole && conditionsOf(whole, before.conditions, now),
    ...(listeners.length > 0 && {
      listeners: listeners.map((verdict) => ({
        name: verdict.listener,
        supportedKinds: verdict.supportedKinds ?? [],
        attachedRoutes: verdict.attachedRoutes ?? 0,
        conditions: conditionsOf(
          verdict,
          known.find(({ name }) => name === verdict.listener)?.conditions,
          now,
        ),
      })),
    }),
  });
}

/** One entry for each parent or ancestor; the others' come first, where they were. */
function withEntries(
  field: "parents" | "ancestors",
  refField: "parentRef" | "ancestorRef",
  verdicts: readonly Verdict[],
  before: Status,
  now: string,
): Status {
  const entries = listOf(before[field]);
  const foreign = entries.filter(({ controllerName }) => controllerName !== CONTROLLER_NAME);
  const own = entries.filter(({ controllerName }) => controllerName === CONTROLLER_NAME);
  const ours = verdicts.flatMap((verdict) => {
    if (verdict.parent === undefined) {
      return [];
    }
    const ref = refOf(verdict.parent);
    const known = own.find((entry) => isSame(entry[refField], ref));
    const conditions = conditionsOf(verdict, known?.conditions, now);
    return [{ [refField]: ref, controllerName: CONTROLLER_NAME, conditions }];
  });
  return { ...before, [field]: [...foreign, ...ours].slice(0, MOST_ENTRIES[field]) };
}

function refOf(parent: ObjectRef & { readonly sectionName?: string; readonly port?: number }) {
  const { kind, namespace, name, sectionName, port } = parent;
  const group = kind === "Service" ? "" : GATEWAY_API;
  return withoutAbsent({ group, kind, namespace, name, sectionName, port });
}

function conditionsOf(verdict: Verdict, before: unknown, now: string): StatusCondition[] {
  const known = listOf(before) as unknown as StatusCondition[];
  const foreign = known.filter(({ type }) => !OURS.has(type));
  const ours = verdict.conditions.map((condition) => {
    const earlier = known.find(({ type }) => type === condition.type);
    // That it is not known yet is no news where it was known, maybe to another replica.
    if (condition.reason === "Pending" && earlier?.status === "True") {
      return earlier;
    }
    const { type, status, reason, message } = condition;
    return withoutAbsent({
      ...{ type, status, reason, message: message.slice(0, LONGEST_MESSAGE) },
      observedGeneration: verdict.generation,
      lastTransitionTime: earlier?.status === status ? earlier.lastTransitionTime : now,
    });
  });
  return [...foreign, ...ours];
}

/** Whether two statuses say the same. When a condition last changed is no difference. */
export function isSame(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (field, part: unknown) => {
    if (field === "lastTransitionTime") {
      return undefined;
    }
    return isObject(part) ? Object.fromEntries(Object.entries(part).sort(byField)) : part;
  });
}

function byField([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function withoutAbsent<Fields extends object>(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Fields;
}

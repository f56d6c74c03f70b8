import { z } from "zod";

/**
 * What several Gateway API kinds are made of, in the wire's spelling. The schemas are strict: a field
 * that nobody carries out is named to whoever wrote it, for a route without it would be a different route.
 */

export const GATEWAY_GROUP = "gateway.networking.k8s.io";

export const Hostname = z
  .string()
  .max(253)
  .regex(
    /^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
    "is not a hostname",
  );

export const PreciseHostname = Hostname.refine(
  (hostname) => !hostname.startsWith("*"),
  "is a wildcard, where one hostname is needed",
);

export const PortNumber = z.number().int().min(1).max(65535);

export const ParentRef = z.strictObject({
  group: z.string().default(GATEWAY_GROUP),
  kind: z.string().default("Gateway"),
  namespace: z.string().optional(),
  name: z.string().min(1),
  sectionName: z.string().optional(),
  port: PortNumber.optional(),
});

export type ParentRef = z.infer<typeof ParentRef>;

/** What routes of every kind say beside their rules. */
export const RouteSpec = z.strictObject({
  parentRefs: z.array(ParentRef).max(32).default([]),
  hostnames: z.array(Hostname).max(16).default([]),
  /** Gateway API's experimental channel; a route that must not be on every listener says so. */
  useDefaultGateways: z.literal("None").optional(),
});

export const BackendRef = z.strictObject({
  group: z.string().default(""),
  kind: z.string().default("Service"),
  namespace: z.string().optional(),
  name: z.string().min(1),
  port: PortNumber.optional(),
});

export type BackendRef = z.infer<typeof BackendRef>;

export const Weight = z.number().int().min(0).max(1_000_000).default(1);

/** A Secret or ConfigMap that holds certificates. */
export const ObjectReference = z.strictObject({
  group: z.string().default(""),
  kind: z.string().default("Secret"),
  namespace: z.string().optional(),
  name: z.string().min(1),
});

export type ObjectReference = z.infer<typeof ObjectReference>;

/** RFC 9110, section 5.1. */
export const HeaderName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/, "is not a header name");

/** What Envoy would refuse, with all that is beside it, is refused here. */
export const HeaderValue = z
  .string()
  .min(1)
  .max(4096)
  .regex(/^[\t\x20-\x7e\x80-\uffff]*$/, "has a control character");

/** GEP-2257: `1h30m`, `15s`, `500ms`; `0s` means without limit. */
export const Duration = z
  .string()
  .regex(/^([0-9]{1,5}(h|m|s|ms)){1,4}$/, "is not a duration such as 15s or 500ms");

const UNITS_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

export function durationMs(duration: string): number {
  let total = 0;
  for (const [, amount, unit] of duration.matchAll(/([0-9]+)(h|ms|m|s)/g)) {
    total += Number(amount) * (UNITS_MS[unit ?? ""] ?? 0);
  }
  return total;
}

/** For a list whose items have names that others refer to. */
export function haveDistinctNames(items: readonly { readonly name?: string | undefined }[]) {
  const names = items.flatMap(({ name }) => name ?? []);
  return new Set(names).size === names.length;
}

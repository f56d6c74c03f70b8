import { z } from "zod";
import { Label, Metadata } from "./metadata.ts";

/**
 * The Gateway API kinds, in the wire's spelling. What the controller does not carry out is refused
 * here (strict objects): a filter or a match that is silently ignored would be a different route
 * from the one that was written.
 */

const GATEWAY_GROUP = "gateway.networking.k8s.io";

export const Hostname = z
  .string()
  .max(253)
  .regex(
    /^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
    "is not a hostname",
  );

const PortNumber = z.number().int().min(1).max(65535);

export const GatewayClass = z.object({
  metadata: Metadata,
  spec: z.object({ controllerName: z.string().min(1) }),
});

export type GatewayClass = z.infer<typeof GatewayClass>;

const Listener = z.strictObject({
  name: z.string().min(1),
  hostname: Hostname.optional(),
  port: PortNumber,
  protocol: z.string().min(1),
  // Read in issue order: a TLS section only comes with a protocol that is refused by name.
  tls: z.unknown().optional(),
  allowedRoutes: z
    .strictObject({
      namespaces: z
        .strictObject({
          from: z.enum(["All", "Same", "Selector", "None"]).default("Same"),
          selector: z.unknown().optional(),
        })
        .default({ from: "Same" }),
      kinds: z
        .array(z.strictObject({ group: z.string().default(GATEWAY_GROUP), kind: z.string() }))
        .optional(),
    })
    .default({ namespaces: { from: "Same" } }),
});

export const Gateway = z.object({
  metadata: Metadata.extend({ name: Label }),
  spec: z.strictObject({
    gatewayClassName: z.string().min(1),
    listeners: z.array(Listener).min(1).max(64),
  }),
});

export type Gateway = z.infer<typeof Gateway>;
export type GatewayListener = z.infer<typeof Listener>;

const ParentRef = z.strictObject({
  group: z.string().default(GATEWAY_GROUP),
  kind: z.string().default("Gateway"),
  namespace: z.string().optional(),
  name: z.string().min(1),
  sectionName: z.string().optional(),
  port: PortNumber.optional(),
});

export type ParentRef = z.infer<typeof ParentRef>;

export const BackendRef = z.strictObject({
  group: z.string().default(""),
  kind: z.string().default("Service"),
  namespace: z.string().optional(),
  name: z.string().min(1),
  port: PortNumber.optional(),
});

export type BackendRef = z.infer<typeof BackendRef>;

const HttpBackendRef = BackendRef.extend({
  weight: z.number().int().min(0).max(1_000_000).default(1),
});

/** The standard's own checks: a path that a normalised request can never have is a mistake. */
const PathValue = z
  .string()
  .max(1024)
  .startsWith("/")
  .refine(
    (path) => !/\/\/|\/\.\.?(\/|$)|%2f|[#?]/i.test(path),
    "has //, a dot segment, %2F, ? or #",
  );

const PathMatch = z
  .strictObject({
    type: z.enum(["Exact", "PathPrefix"]).default("PathPrefix"),
    value: PathValue.default("/"),
  })
  .default({ type: "PathPrefix", value: "/" });

const HeaderMatch = z.strictObject({
  type: z.literal("Exact").default("Exact"),
  name: z.string().regex(/^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/, "is not a header name"),
  value: z.string().min(1).max(4096),
});

const Method = z.enum([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "CONNECT",
  "OPTIONS",
  "TRACE",
  "PATCH",
]);

const RouteMatch = z.strictObject({
  path: PathMatch,
  method: Method.optional(),
  headers: z.array(HeaderMatch).max(16).default([]),
});

export type RouteMatch = z.infer<typeof RouteMatch>;

/** GEP-2257: `1h30m`, `15s`, `500ms`; `0s` means without limit. */
const Duration = z
  .string()
  .regex(/^([0-9]{1,5}(h|m|s|ms)){1,4}$/, "is not a duration such as 15s or 500ms");

const Rule = z.strictObject({
  name: z.string().min(1).optional(),
  matches: z
    .array(RouteMatch)
    .max(64)
    .default([])
    .transform((matches) => (matches.length > 0 ? matches : [RouteMatch.parse({})])),
  backendRefs: z.array(HttpBackendRef).max(16).default([]),
  timeouts: z
    .strictObject({ request: Duration.optional(), backendRequest: Duration.optional() })
    .refine(
      ({ request, backendRequest }) =>
        request === undefined ||
        backendRequest === undefined ||
        durationMs(request) === 0 ||
        durationMs(backendRequest) <= durationMs(request),
      { path: ["backendRequest"], message: "is longer than the whole request may take" },
    )
    .default({}),
});

export type RouteRule = z.infer<typeof Rule>;

export const HTTPRoute = z.object({
  metadata: Metadata,
  spec: z
    .strictObject({
      parentRefs: z.array(ParentRef).max(32).default([]),
      hostnames: z.array(Hostname).max(16).default([]),
      rules: z.array(Rule).min(1).max(16),
    })
    .refine(
      ({ rules }) => {
        const names = rules.flatMap((rule) => rule.name ?? []);
        return new Set(names).size === names.length;
      },
      { path: ["rules"], message: "have the same name twice" },
    ),
});

export type HTTPRoute = z.infer<typeof HTTPRoute>;

export const ReferenceGrant = z.object({
  metadata: Metadata,
  spec: z.strictObject({
    from: z
      .array(z.strictObject({ group: z.string(), kind: z.string(), namespace: z.string() }))
      .min(1),
    to: z
      .array(z.strictObject({ group: z.string(), kind: z.string(), name: z.string().optional() }))
      .min(1),
  }),
});

export type ReferenceGrant = z.infer<typeof ReferenceGrant>;

const UNITS_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

export function durationMs(duration: string): number {
  let total = 0;
  for (const [, amount, unit] of duration.matchAll(/([0-9]+)(h|ms|m|s)/g)) {
    total += Number(amount) * (UNITS_MS[unit ?? ""] ?? 0);
  }
  return total;
}

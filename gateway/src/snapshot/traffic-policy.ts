import { z } from "zod";
import { Metadata } from "./metadata.ts";
import { PolicyMode } from "./policy-target.ts";

/**
 * TrafficPolicy (`gateway.portico.dev/v1alpha1`): how traffic is treated. On a Gateway, an HTTPRoute or
 * one rule of it: how long a request may take, how large it may be, whether its answer is compressed.
 * On a Service: how much of it is asked at once, and when one of its endpoints is left alone.
 */

const TargetRef = z
  .strictObject({
    group: z.enum(["", "gateway.networking.k8s.io"]).default("gateway.networking.k8s.io"),
    kind: z.enum(["Gateway", "HTTPRoute", "Service"]),
    name: z.string().min(1).max(253),
    sectionName: z.string().min(1).max(253).optional(),
  })
  .refine(({ kind, sectionName }) => kind === "HTTPRoute" || sectionName === undefined, {
    path: ["sectionName"],
    message: "names a rule of an HTTPRoute, and nothing of a Gateway or Service",
  })
  .refine(({ kind, group }) => (kind === "Service") === (group === ""), {
    path: ["group"],
    message: 'is "" for a Service and gateway.networking.k8s.io for the others',
  });

export type TrafficTarget = z.infer<typeof TargetRef>;

/** GEP-2257, as in an HTTPRoute. */
const Duration = z
  .string()
  .regex(/^([0-9]{1,5}(h|m|s|ms)){1,4}$/, "is not a duration such as 15s or 500ms");

const Timeouts = z.strictObject({
  request: Duration.optional(),
  backendRequest: Duration.optional(),
  /** How long neither side may say anything. */
  idle: Duration.optional(),
});

const Compression = z.strictObject({
  algorithms: z
    .array(z.enum(["gzip", "brotli", "zstd"]))
    .min(1)
    .max(3)
    .default(["gzip"]),
});

const CircuitBreaker = z.strictObject({
  maxConnections: z.number().int().min(1).max(1_000_000).optional(),
  maxPendingRequests: z.number().int().min(0).max(1_000_000).optional(),
  maxParallelRequests: z.number().int().min(1).max(1_000_000).optional(),
});

const RetryBudget = z.strictObject({
  /** Of the requests that are under way. */
  percent: z.number().int().min(0).max(100).default(20),
  minRetries: z.number().int().min(0).max(1000).default(3),
});

const OutlierDetection = z.strictObject({
  consecutiveErrors: z.number().int().min(1).max(1000).default(5),
  interval: Duration.default("10s"),
  ejectionTime: Duration.default("30s"),
  maxEjectedPercent: z.number().int().min(1).max(100).default(50),
});

const OF_A_ROUTE = ["timeouts", "maxRequestBytes", "compression"] as const;
const OF_A_SERVICE = ["circuitBreaker", "retryBudget", "outlierDetection"] as const;

const Spec = z.strictObject({
  targetRefs: z.array(TargetRef).min(1).max(16),
  /** Of outlier detection: endpoints are counted, and stay. */
  mode: PolicyMode,
  timeouts: Timeouts.optional(),
  maxRequestBytes: z.number().int().min(0).max(104_857_600).optional(),
  compression: Compression.optional(),
  circuitBreaker: CircuitBreaker.optional(),
  retryBudget: RetryBudget.optional(),
  outlierDetection: OutlierDetection.optional(),
});

export type TrafficSpec = z.infer<typeof Spec>;

export const TrafficPolicy = z.object({
  metadata: Metadata,
  spec: Spec.superRefine((spec, context) => {
    for (const [field, message] of mistakesIn(spec)) {
      context.addIssue({ code: "custom", path: [field], message });
    }
  }),
});

export type TrafficPolicy = z.infer<typeof TrafficPolicy>;

/** The same as the CEL rules of the CRD. */
function mistakesIn(spec: TrafficSpec): [field: string, message: string][] {
  const onServices = spec.targetRefs.filter(({ kind }) => kind === "Service").length;
  if (onServices > 0 && onServices < spec.targetRefs.length) {
    return [["targetRefs", "target a Service and a route or Gateway; write one policy for each"]];
  }
  const misplaced = (onServices > 0 ? OF_A_ROUTE : OF_A_SERVICE).filter((field) => spec[field]);
  const where = onServices > 0 ? "on a route's or Gateway's policy" : "on a Service's policy";
  const isPointless = spec.mode === "Report" && spec.outlierDetection === undefined;
  return [
    ...misplaced.map((field): [string, string] => [field, `belongs ${where}`]),
    ...(isPointless
      ? [["mode", "Report is for outlierDetection; the rest refuses nothing"] as [string, string]]
      : []),
  ];
}

import { z } from "zod";
import { Metadata } from "./metadata.ts";
import { PolicyMode, TargetRefs } from "./policy-target.ts";

/**
 * RateLimitPolicy (`gateway.portico.dev/v1alpha1`): how many requests of one caller a Gateway, an
 * HTTPRoute or one rule of it takes. What has several limits has to keep all of them.
 */

const Caller = z
  .strictObject({
    type: z.enum(["ClientAddress", "Claim", "Header", "Everyone"]),
    /** Of a claim or a header. A request that has none is not counted by it. */
    name: z
      .string()
      .max(64)
      .regex(/^[A-Za-z0-9_.-]+$/, "is not the name of a claim or a header")
      .optional(),
  })
  .refine(({ type, name }) => (type === "Claim" || type === "Header") === (name !== undefined), {
    path: ["name"],
    message: "is needed for a Claim or a Header, and for nothing else",
  });

const Limit = z.strictObject({
  by: Caller,
  requests: z.number().int().min(1).max(1_000_000),
  per: z.enum(["Second", "Minute", "Hour"]),
  /** How many may come at once; `requests` when it is not said. */
  burst: z.number().int().min(1).max(1_000_000).optional(),
  /** Whether each replica of the gateway counts for itself, or all count together. */
  scope: z.enum(["Replica", "Shared"]).default("Replica"),
});

export type Limit = z.infer<typeof Limit>;

export const RateLimitPolicy = z.object({
  metadata: Metadata,
  spec: z.strictObject({
    targetRefs: TargetRefs,
    mode: PolicyMode,
    limits: z.array(Limit).min(1).max(8),
  }),
});

export type RateLimitPolicy = z.infer<typeof RateLimitPolicy>;

import { z } from "zod";
import { Metadata } from "./metadata.ts";

/** What every policy of ours has in common: what it is attached to (GEP-713), and how serious it is. */

const TargetRef = z.strictObject({
  group: z.literal("gateway.networking.k8s.io").default("gateway.networking.k8s.io"),
  kind: z.enum(["Gateway", "HTTPRoute"]),
  name: z.string().min(1).max(253),
  /** Of an HTTPRoute: the name of one rule. */
  sectionName: z.string().min(1).max(253).optional(),
});

export type TargetRef = z.infer<typeof TargetRef>;

export const TargetRefs = z
  .array(TargetRef)
  .min(1)
  .max(16)
  .refine(
    (targets) => !targets.some(({ kind, sectionName }) => kind === "Gateway" && sectionName),
    {
      message: "name a listener of a Gateway; only a whole Gateway can be targeted",
    },
  );

/** `Report` counts what would have been refused, and refuses nothing. */
export const PolicyMode = z.enum(["Enforce", "Report"]).default("Enforce");

export type PolicyMode = z.infer<typeof PolicyMode>;

/** What a policy that is refused was written for, as far as that can be read. */
export const PolicyTargets = z.object({
  metadata: Metadata,
  spec: z.object({
    targetRefs: z.array(
      z.object({ kind: z.string(), name: z.string(), sectionName: z.string().optional() }),
    ),
  }),
});

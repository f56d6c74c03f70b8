import { z } from "zod";
import { Metadata } from "./metadata.ts";

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

import { z } from "zod";
import { PreciseHostname } from "./gateway-api.ts";
import { Metadata } from "./metadata.ts";

/** BackendTLSPolicy: that a Service is spoken to by TLS, and how its certificate is verified. */

const TargetRef = z.strictObject({
  group: z.string(),
  kind: z.string(),
  name: z.string().min(1),
  /** The name of a port. */
  sectionName: z.string().min(1).optional(),
});

const SubjectAltName = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("Hostname"), hostname: PreciseHostname }),
  z.strictObject({ type: z.literal("URI"), uri: z.string().min(1).max(253) }),
]);

export type SubjectAltName = z.infer<typeof SubjectAltName>;

export const BackendTLSPolicy = z.object({
  metadata: Metadata,
  spec: z.strictObject({
    targetRefs: z.array(TargetRef).min(1).max(16),
    validation: z.strictObject({
      caCertificateRefs: z
        .array(z.strictObject({ group: z.string(), kind: z.string(), name: z.string().min(1) }))
        .max(8)
        .default([]),
      wellKnownCACertificates: z.string().optional(),
      hostname: PreciseHostname,
      subjectAltNames: z.array(SubjectAltName).max(5).default([]),
    }),
    options: z.record(z.string(), z.string()).default({}),
  }),
});

export type BackendTLSPolicy = z.infer<typeof BackendTLSPolicy>;

import { z } from "zod";
import { BackendRef } from "./gateway-api.ts";
import { Metadata } from "./metadata.ts";

/**
 * JWTPolicy (`gateway.portico.dev/v1alpha1`), a policy attachment (GEP-713). On a Gateway it says
 * whose tokens are accepted; on an HTTPRoute, or one rule of it by name, whether one is required.
 */

const TargetRef = z.strictObject({
  group: z.literal("gateway.networking.k8s.io").default("gateway.networking.k8s.io"),
  kind: z.enum(["Gateway", "HTTPRoute"]),
  name: z.string().min(1),
  sectionName: z.string().min(1).optional(),
});

export type TargetRef = z.infer<typeof TargetRef>;

const TargetRefs = z.array(TargetRef).min(1).max(16);

const Jwks = z.strictObject({
  backendRef: BackendRef.required({ port: true }),
  path: z.string().startsWith("/"),
});

/** As in Envoy Gateway: where a token is, beside the `Authorization` header. Names after RFC 6265. */
const ExtractFrom = z.strictObject({
  cookies: z
    .array(z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/))
    .min(1)
    .max(4),
});

export const JWTPolicy = z.object({
  metadata: Metadata,
  spec: z
    .strictObject({
      targetRefs: TargetRefs,
      issuer: z.string().min(1).optional(),
      audiences: z.array(z.string().min(1)).min(1).optional(),
      jwks: Jwks.optional(),
      extractFrom: ExtractFrom.optional(),
      requirement: z.enum(["Required", "None"]).optional(),
    })
    .superRefine((spec, context) => {
      const onGateway = spec.targetRefs.some((target) => target.kind === "Gateway");
      const onRoute = spec.targetRefs.some((target) => target.kind === "HTTPRoute");
      const refuse = (field: string, message: string) =>
        context.addIssue({ code: "custom", path: [field], message });
      if (onGateway && onRoute) {
        refuse("targetRefs", "target a Gateway and an HTTPRoute; write one policy for each");
        return;
      }
      for (const field of ["issuer", "audiences", "jwks"] as const) {
        if (onGateway && spec[field] === undefined) {
          refuse(field, "is needed on a Gateway");
        }
      }
      for (const field of ["issuer", "audiences", "jwks", "extractFrom"] as const) {
        if (onRoute && spec[field] !== undefined) {
          refuse(field, "belongs on the Gateway's policy");
        }
      }
      if (onRoute && spec.requirement === undefined) {
        refuse("requirement", "is needed on an HTTPRoute: Required or None");
      }
      if (onGateway && spec.requirement !== undefined) {
        refuse("requirement", "belongs on an HTTPRoute's policy");
      }
      if (spec.targetRefs.some((target) => target.kind === "Gateway" && target.sectionName)) {
        refuse("targetRefs", "name a listener of a Gateway; only a whole Gateway can be targeted");
      }
    }),
});

export type JWTPolicy = z.infer<typeof JWTPolicy>;

/** What a policy that is refused was written for: its targets stay closed rather than open. */
export const JWTPolicyTargets = z.object({
  metadata: Metadata,
  spec: z.object({
    targetRefs: z.array(
      z.object({ kind: z.string(), name: z.string(), sectionName: z.string().optional() }),
    ),
  }),
});

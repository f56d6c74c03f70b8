import { z } from "zod";
import { BackendRef } from "./gateway-api.ts";
import { Metadata } from "./metadata.ts";
import { PolicyMode, TargetRefs } from "./policy-target.ts";

/**
 * JWTPolicy (`gateway.portico.dev/v1alpha1`), a policy attachment (GEP-713). On a Gateway it says
 * whose tokens are accepted; on an HTTPRoute, or one rule of it by name, whether one is required and
 * what must be in it.
 */

const Jwks = z.strictObject({
  backendRef: BackendRef.required({ port: true }),
  path: z.string().startsWith("/").max(1024),
});

/** As in Envoy Gateway: where a token is, beside the `Authorization` header. Names after RFC 6265. */
const ExtractFrom = z.strictObject({
  cookies: z
    .array(z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/))
    .min(1)
    .max(4),
});

/** A claim, or one inside another: `realm_access.roles`. */
const ClaimName = z.string().regex(/^[A-Za-z0-9_:/-]+(\.[A-Za-z0-9_:/-]+)*$/, "is not a claim");

/** Only headers that no client can send: the others would be believed without a token too. */
const ClaimToHeader = z.strictObject({
  claim: ClaimName,
  header: z
    .string()
    .max(64)
    .regex(/^x-(user|jwt|auth)-[a-z0-9-]+$/, "must begin with x-user-, x-jwt- or x-auth-"),
});

const Provider = z.strictObject({
  issuer: z.string().min(1).max(2048),
  audiences: z.array(z.string().min(1).max(2048)).min(1).max(16),
  jwks: Jwks,
  extractFrom: ExtractFrom.optional(),
  claimsToHeaders: z.array(ClaimToHeader).max(16).optional(),
});

export type TokenProvider = z.infer<typeof Provider>;

/** RFC 6749, section 3.3: what a scope is spelt with. */
const Scope = z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]{1,256}$/, "is not a scope");

const ClaimRequirement = z.strictObject({
  name: ClaimName,
  /** One of these; of a claim that is a list, one of its members. */
  values: z
    .array(z.union([z.string().max(1024), z.number(), z.boolean()]))
    .min(1)
    .max(16),
});

export type ClaimRequirement = z.infer<typeof ClaimRequirement>;

const Spec = z.strictObject({
  targetRefs: TargetRefs,
  mode: PolicyMode,
  ...Provider.partial().shape,
  /** Further issuers. A token of any one of them passes. */
  providers: z.array(Provider).min(1).max(8).optional(),
  requirement: z.enum(["Required", "None"]).optional(),
  scopes: z.array(Scope).min(1).max(16).optional(),
  claims: z.array(ClaimRequirement).min(1).max(16).optional(),
});

type Spec = z.infer<typeof Spec>;
type Field = keyof Spec;
type Mistake = readonly [field: Field, message: string];

const NEEDED_ON_A_GATEWAY = ["issuer", "audiences", "jwks"] as const;
const OF_A_GATEWAY = [
  ...NEEDED_ON_A_GATEWAY,
  "extractFrom",
  "claimsToHeaders",
  "providers",
] as const;
const OF_A_ROUTE = ["requirement", "scopes", "claims"] as const;

/** The same as the CEL rules of the CRD, for whoever has no API server to ask. */
function mistakesIn(spec: Spec): Mistake[] {
  const kinds = new Set(spec.targetRefs.map(({ kind }) => kind));
  if (kinds.size > 1) {
    return [["targetRefs", "target a Gateway and an HTTPRoute; write one policy for each"]];
  }
  return kinds.has("Gateway") ? mistakesOnGateway(spec) : mistakesOnRoute(spec);
}

function mistakesOnGateway(spec: Spec): Mistake[] {
  const missing = NEEDED_ON_A_GATEWAY.filter((field) => spec[field] === undefined);
  const misplaced = OF_A_ROUTE.filter((field) => spec[field] !== undefined);
  const issuers = [spec.issuer, ...(spec.providers ?? []).map(({ issuer }) => issuer)];
  return [
    ...missing.map((field): Mistake => [field, "is needed on a Gateway"]),
    ...misplaced.map((field): Mistake => [field, "belongs on an HTTPRoute's policy"]),
    ...mistake(new Set(issuers).size < issuers.length, "providers", "have the same issuer twice"),
  ];
}

function mistakesOnRoute(spec: Spec): Mistake[] {
  const misplaced = OF_A_GATEWAY.filter((field) => spec[field] !== undefined);
  const isOpen = spec.requirement === "None";
  const pointless = (["scopes", "claims"] as const).filter((field) => isOpen && spec[field]);
  return [
    ...misplaced.map((field): Mistake => [field, "belongs on the Gateway's policy"]),
    ...mistake(
      spec.requirement === undefined,
      "requirement",
      "is needed on an HTTPRoute: Required or None",
    ),
    ...pointless.map((field): Mistake => [field, "need a token, and requirement is None"]),
    ...mistake(
      isOpen && spec.mode === "Report",
      "mode",
      "Report has nothing to count where requirement is None",
    ),
  ];
}

function mistake(isMade: boolean, field: Field, message: string): Mistake[] {
  return isMade ? [[field, message]] : [];
}

export const JWTPolicy = z.object({
  metadata: Metadata,
  spec: Spec.superRefine((spec, context) => {
    for (const [field, message] of mistakesIn(spec)) {
      context.addIssue({ code: "custom", path: [field], message });
    }
  }),
});

export type JWTPolicy = z.infer<typeof JWTPolicy>;

/**
 * Signing keys: a private JWKS (RFC 7517) of ES256 keys. The first one signs; the others are published
 * too, so that what they signed stays valid while keys are exchanged.
 */
import { ConfigError, type Secret } from "@portico/service-kit";
import { z } from "zod";

/** RFC 7518 section 6.2; anything else in the set would widen what is accepted. */
const SigningKey = z.object({
  kty: z.literal("EC"),
  crv: z.literal("P-256"),
  alg: z.literal("ES256").default("ES256"),
  use: z.literal("sig").default("sig"),
  kid: z.string().min(1),
  x: z.string().min(1),
  y: z.string().min(1),
  d: z.string().min(1),
});

const SigningKeys = z.object({ keys: z.array(SigningKey).min(1) });

export type SigningKeys = z.output<typeof SigningKeys>;

export function readSigningKeys(source: Secret): SigningKeys {
  const parsed = SigningKeys.safeParse(parse(source.reveal()));
  if (parsed.success) return parsed.data;
  // Not the values, nor the parser's own words, which may quote them.
  const places = parsed.error.issues.map(({ path }) => path.join(".") || "the whole of it");
  throw new ConfigError(`SIGNING_KEYS is not a private JWKS of ES256 keys: ${places.join(", ")}`);
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    // Refused by the schema like anything else that is not a JWKS.
    return undefined;
  }
};

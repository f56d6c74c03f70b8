import { z } from "zod";
import { KeyState, type SigningKey } from "./signing-key.ts";

const at = z.iso.datetime().nullable();

/** What administrators see of a key: nothing that is not public. */
export const PublishedKey = z
  .object({
    kid: z.string(),
    state: KeyState,
    publicKey: z
      .object({ kty: z.literal("EC"), crv: z.literal("P-256"), x: z.string(), y: z.string() })
      .meta({ description: "RFC 7517" }),
    createdAt: z.iso.datetime(),
    activatedAt: at.meta({ description: "When it began to sign" }),
    retiredAt: at.meta({
      description: "When it ceased to sign; it goes when nothing is left of it",
    }),
  })
  .meta({ id: "SigningKey" });

/** Two keys, and the retired ones of the last weeks. */
export const PublishedKeys = z.object({ keys: z.array(PublishedKey) });

export const toPublishedKeys = (keys: readonly SigningKey[]): z.input<typeof PublishedKeys> => ({
  keys: keys.map(({ kid, state, privateJwk: { d: _, ...publicKey }, ...times }) => ({
    kid,
    state,
    publicKey,
    createdAt: times.createdAt.toISOString(),
    activatedAt: times.activatedAt?.toISOString() ?? null,
    retiredAt: times.retiredAt?.toISOString() ?? null,
  })),
});

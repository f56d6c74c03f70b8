/**
 * Signing keys: ES256 (RFC 7518 section 3.4), for access tokens and ID tokens. A key is published before
 * it signs, so that whoever verifies has read it by then, and for as long as something that it signed may
 * be shown to somebody: `next` → `active` → `retired` → gone. There is always one that signs and one
 * that comes next. This folder owns them and when they change; what is signed is `oidc/`'s business.
 */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { z } from "zod";

/** RFC 7518 section 6.2. Private: it leaves this folder for what signs (`oidc/own-signing-key.ts`) alone. */
export const PrivateJwk = z.object({
  kty: z.literal("EC"),
  crv: z.literal("P-256"),
  x: z.string(),
  y: z.string(),
  d: z.string(),
});

export type PrivateJwk = z.output<typeof PrivateJwk>;

export const KeyState = z.enum(["next", "active", "retired"]);
export type KeyState = z.output<typeof KeyState>;

export type SigningKey = {
  kid: string;
  state: KeyState;
  createdAt: Date;
  /** When it began to sign. */
  activatedAt: Date | null;
  /** When it ceased to. */
  retiredAt: Date | null;
  privateJwk: PrivateJwk;
};

export function generateSigningKey(state: "active" | "next", now: Date): SigningKey {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    kid: randomBytes(12).toString("base64url"),
    state,
    createdAt: now,
    activatedAt: state === "active" ? now : null,
    retiredAt: null,
    privateJwk: PrivateJwk.parse(privateKey.export({ format: "jwk" })),
  };
}

export type Schedule = {
  /** How long a key signs. */
  activeMs: number;
  /** How long a key is published before it may sign. */
  publishedFirstMs: number;
  /** How long a key stays published when it signs no more. */
  retiredMs: number;
};

const minuteMs = 60_000;
const dayMs = 86_400_000;

/**
 * The gateway reads the published keys every minute, whatever it meets; services within half a minute of
 * meeting a key they do not know. An access token is over ten minutes after it was made, but an ID token
 * still says whose session to end (`id_token_hint`), and a session lasts fourteen days.
 */
export const scheduleOf = (activeDays: number): Schedule => ({
  activeMs: activeDays * dayMs,
  publishedFirstMs: 5 * minuteMs,
  retiredMs: 14 * dayMs,
});

/** When the key may sign: whoever verifies has read it by then. */
export const readyAt = ({ createdAt }: SigningKey, { publishedFirstMs }: Schedule): Date =>
  new Date(createdAt.getTime() + publishedFirstMs);

/** Never before the next key is ready, however short the schedule. */
export const isRotationDue = (
  active: SigningKey,
  next: SigningKey,
  schedule: Schedule,
  now: Date,
): boolean => {
  const signedSince = active.activatedAt ?? active.createdAt;
  const isOldEnough = signedSince.getTime() + schedule.activeMs <= now.getTime();
  return isOldEnough && readyAt(next, schedule) <= now;
};

export const isOver = ({ retiredAt }: SigningKey, { retiredMs }: Schedule, now: Date): boolean =>
  retiredAt !== null && retiredAt.getTime() + retiredMs <= now.getTime();

/** Codes of an authenticator app: TOTP, RFC 6238, as every app has it (SHA-1, 6 digits, 30 seconds). */
import { Secret, TOTP } from "otpauth";

const issuer = "Portico";

/** RFC 4226 section 4, R6: 160 bits. Base32, as apps take it. */
export const newSecret = (): string => new Secret({ size: 20 }).base32;

const totp = (secret: string, label = ""): TOTP =>
  new TOTP({ issuer, label, secret: Secret.fromBase32(secret) });

/** What the QR code says to the app. */
export const enrolmentUri = (secret: string, email: string): string =>
  totp(secret, email).toString();

/** RFC 6238 section 5.2: one step of delay, for clocks that differ and slow fingers. */
const stepsAround = 1;

/**
 * The time step that a code belongs to; undefined for a wrong code. Who accepts the code must see to it
 * that no step is accepted twice.
 */
export function stepOf(secret: string, code: string, now: number): number | undefined {
  const app = totp(secret);
  const token = code.replace(/\s/g, "");
  if (!/^\d{6}$/.test(token)) return undefined;
  const delta = app.validate({ token, timestamp: now, window: stepsAround });
  return delta === null ? undefined : app.counter({ timestamp: now }) + delta;
}

/** In groups, to be typed where no camera is. */
export const readable = (secret: string): string => secret.replace(/(.{4})(?=.)/g, "$1 ");

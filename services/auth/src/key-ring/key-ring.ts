/**
 * The key ring: `KEY_ENCRYPTION_KEY`, the one secret that whoever reads the database must not have. What
 * has to be kept and read again (a private key) is sealed with it; what only has to be recognised again
 * is signed with keys derived from it. To change it, add a key at the end, everywhere; then move it to
 * the front; take the old one away when nothing that it sealed or signed is left.
 */
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import { Secret } from "@portico/service-kit";
import { z } from "zod";

export type KeyRing = {
  /**
   * AES-256-GCM under the first key.
   * @param context where it is kept, authenticated too: what is sealed for one place opens at no other
   */
  seal(plaintext: string, context: string): string;
  /** By whichever key sealed it; throws WrongKey when none of them did, or for another context. */
  open(sealed: string, context: string): Opened;
  /** RFC 5869: a key for one purpose from each key of the ring, the first one first. */
  derive(purpose: string): readonly Buffer[];
};

/** `byFirst` false: seal it again, so that an older key can be taken away. */
export type Opened = { plaintext: string; byFirst: boolean };

export class WrongKey extends Error {
  override readonly name = "WrongKey";
}

/** 32 bytes are 43 characters of base64url (RFC 4648 section 5, without padding). */
const keyList = /^[\w-]{43}(?:,[\w-]{43})*$/;

export const keyEncryptionKey = z
  .string()
  .regex(keyList, { error: "must be keys of 32 bytes, base64url, separated by commas" })
  .transform((value) => new Secret(value))
  .meta({
    description:
      "Keys of 32 random bytes, base64url, separated by commas; the first encrypts signing keys and signs refresh tokens, all decrypt and verify",
    secret: true,
  });

export function createKeyRing(source: Secret): KeyRing {
  const keys = source
    .reveal()
    .split(",")
    .map((key) => Buffer.from(key, "base64url"));
  const derive = (purpose: string) =>
    keys.map((key) => Buffer.from(hkdfSync("sha256", key, "", purpose, 32)));
  // As key objects: of bytes Node asks every time whether they are one, by an exception, six times as long.
  const sealers = derive("portico/auth/seal").map((key) => createSecretKey(key));
  const [first] = sealers;
  if (!first) throw new Error("A key ring has at least one key.");

  return {
    derive: (purpose) => derive(`portico/auth/${purpose}`),
    seal: (plaintext, context) => seal(first, plaintext, context),
    open(sealed, context) {
      for (const key of sealers) {
        const plaintext = tryOpen(key, sealed, context);
        if (plaintext !== undefined) return { plaintext, byFirst: key === first };
      }
      throw new WrongKey(`No key of KEY_ENCRYPTION_KEY opens ${context}.`);
    },
  };
}

const cipher = "aes-256-gcm";
const ivBytes = 12;
const tagBytes = 16;

/** Nonce, tag and ciphertext. The nonce is random: a ring seals far fewer than 2^32 values (NIST SP 800-38D). */
function seal(key: KeyObject, plaintext: string, context: string): string {
  const iv = randomBytes(ivBytes);
  const sealing = createCipheriv(cipher, key, iv).setAAD(Buffer.from(context));
  const body = [sealing.update(plaintext, "utf8"), sealing.final()];
  return Buffer.concat([iv, sealing.getAuthTag(), ...body]).toString("base64url");
}

function tryOpen(key: KeyObject, sealed: string, context: string): string | undefined {
  const bytes = Buffer.from(sealed, "base64url");
  const iv = bytes.subarray(0, ivBytes);
  const tag = bytes.subarray(ivBytes, ivBytes + tagBytes);
  try {
    const opening = createDecipheriv(cipher, key, iv, { authTagLength: tagBytes })
      .setAAD(Buffer.from(context))
      .setAuthTag(tag);
    const body = opening.update(bytes.subarray(ivBytes + tagBytes));
    return Buffer.concat([body, opening.final()]).toString("utf8");
  } catch {
    // Not by this key, or changed since: the caller cannot tell the two apart either.
    return undefined;
  }
}

/**
 * Recovery codes: ten of them, each for one sign-in without the second factor (NIST SP 800-63B calls
 * them look-up secrets). 50 random bits each, kept like passwords: by argon2id, salted. The salt is one
 * for all ten, so that a code is looked for at the cost of one hash.
 */
import { randomBytes, randomInt } from "node:crypto";
import { hash } from "@node-rs/argon2";
import { inHashTurn } from "../accounts/hash-turns.ts";

const howMany = 10;
const length = 10;

/** Crockford's base 32: nothing in it is taken for anything else. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

const newCode = (): string =>
  Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join("");

/** `k3v9q-7mzt0` */
const inGroups = (code: string): string => `${code.slice(0, 5)}-${code.slice(5)}`;

/** As it was shown, whatever was made of it on the way: case, hyphens, letters like digits. */
export const normaliseCode = (given: string): string =>
  given.toLowerCase().replace(/[\s-]/g, "").replace(/o/g, "0").replace(/[il]/g, "1");

export type HashedCodes = { salt: Buffer; hashes: string[] };

/** At the cost of a password, and taking its turn among them: see accounts/password.ts. */
export const hashCode = (code: string, salt: Uint8Array): Promise<string> =>
  inHashTurn(() =>
    hash(normaliseCode(code), { salt, memoryCost: 19_456, timeCost: 2, parallelism: 1 }),
  );

/** The codes, to be shown once, and what is kept of them. */
export async function newRecoveryCodes(): Promise<{ codes: string[]; kept: HashedCodes }> {
  const codes = Array.from({ length: howMany }, newCode);
  const salt = randomBytes(16);
  const hashes = await Promise.all(codes.map((code) => hashCode(code, salt)));
  return { codes: codes.map(inGroups), kept: { salt, hashes } };
}

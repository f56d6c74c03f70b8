/**
 * Passwords, after NIST SP 800-63B section 5.1.1.2: length and a blocklist, no rules of composition.
 * Normalised (NFKC), so that the same password typed on another keyboard is the same password.
 */
import { hash, verify } from "@node-rs/argon2";
import { z } from "zod";
import { commonPasswords } from "./common-passwords.ts";

const shortest = 8;
const longest = 128;

/** Words that anybody would try here first. */
const contextWords = ["portico"];

const normalise = (password: string): string => password.normalize("NFKC");

const isOfAllowedLength = (password: string): boolean => {
  const codePoints = [...normalise(password)].length;
  return codePoints >= shortest && codePoints <= longest;
};

const isGuessable = (password: string): boolean => {
  const lowered = normalise(password).toLowerCase();
  const bare = lowered.replace(/[\d\W_]+$/u, "");
  return commonPasswords.has(lowered) || contextWords.includes(bare) || new Set(lowered).size === 1;
};

/** A password that is being chosen. */
export const NewPassword = z
  .string()
  // In UTF-16 units, before anything is computed: no letter needs more than 16 of them.
  .max(16 * longest)
  .refine((password) => password.isWellFormed(), { error: "Must be well-formed Unicode." })
  .refine(isOfAllowedLength, { error: `Must have ${shortest} to ${longest} characters.` })
  .refine((password) => !isGuessable(password), {
    error: "Too easy to guess: choose another one.",
  })
  .meta({ description: `${shortest} to ${longest} characters, any of them; not a common one` });

/** A password that is being checked: rules are for choosing one. */
export const GivenPassword = z
  .string()
  .min(1)
  .max(16 * longest);

/** argon2id (the library's default), OWASP's first choice: 19 MiB, two passes, one lane. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Of nothing that anybody can type, at the same cost: what an unknown address is checked against. */
export const unmatchableHash =
  "$argon2id$v=19$m=19456,t=2,p=1$e0rJGDThFHYS35V02sbT2g$rdtCHLkKToko2F1IamSkrVm7UtE7I/U7JXmt/U+DP0U";

/** Runs beside the event loop, in a thread of the pool. */
export const hashPassword = (password: string): Promise<string> => hash(normalise(password), cost);

export const passwordMatches = (passwordHash: string, password: string): Promise<boolean> =>
  verify(passwordHash, normalise(password));

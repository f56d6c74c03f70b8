/**
 * Passwords, after NIST SP 800-63B-4 section 3.1.1.2: length and a blocklist, no rules of composition.
 * Normalised (NFKC), so that the same password typed on another keyboard is the same password.
 */
import { hash, verify } from "@node-rs/argon2";
import { invalidRequest } from "@portico/service-kit";
import { z } from "zod";
import { isCommonPassword } from "./common-passwords.ts";
import { inHashTurn } from "./hash-turns.ts";
import { longestPassword, shortestPassword } from "./password-length.ts";
import { isMadeOfExpectedWords, isPersonal } from "./predictable.ts";

const normalise = (password: string): string => password.normalize("NFKC");

const lowered = (password: string): string => normalise(password).toLowerCase();

const isOfAllowedLength = (password: string): boolean => {
  const codePoints = [...normalise(password)].length;
  return codePoints >= shortestPassword && codePoints <= longestPassword;
};

const isGuessable = (password: string): boolean => {
  const given = lowered(password);
  return new Set(given).size === 1 || isMadeOfExpectedWords(given) || isCommonPassword(given);
};

/**
 * Stabilised strings (UAX 15 section 12.1): a code point that Unicode has not assigned may be normalised
 * differently by the next version, and the password would be another one.
 */
const hasUnassigned = (password: string): boolean => /\p{Cn}/u.test(password);

const tooEasy = "Too easy to guess: choose another one.";

/** In UTF-16 units, before anything is computed: no letter needs more than 16 of them. */
const longestText = 16 * longestPassword;

/** A password that is being chosen. */
export const NewPassword = z
  .string()
  .max(longestText)
  .refine((password) => password.isWellFormed(), { error: "Must be well-formed Unicode." })
  .refine((password) => !hasUnassigned(password), { error: "Has characters not yet in Unicode." })
  .refine(isOfAllowedLength, {
    error: `Must have ${shortestPassword} to ${longestPassword} characters.`,
  })
  .refine((password) => !isGuessable(password), { error: tooEasy })
  .meta({
    description: `${shortestPassword} to ${longestPassword} characters, any of them; not a common one, not your own name or address`,
  });

/** The rule that needs to know whose password it is to be. */
export function requireImpersonal(
  password: string,
  person: { email: string; name: string | null },
): void {
  if (!isPersonal(lowered(password), person)) return;
  throw invalidRequest(undefined, {
    errors: [{ in: "body", field: "password", detail: tooEasy }],
  });
}

/** A password that is being checked: rules are for choosing one. */
export const GivenPassword = z.string().min(1).max(longestText);

/** argon2id (the library's default), OWASP's first choice: 19 MiB, two passes, one lane. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Of nothing that anybody can type, at the same cost: what an unknown address is checked against. */
export const unmatchableHash =
  "$argon2id$v=19$m=19456,t=2,p=1$e0rJGDThFHYS35V02sbT2g$rdtCHLkKToko2F1IamSkrVm7UtE7I/U7JXmt/U+DP0U";

type PasswordMatches = (passwordHash: string, password: string) => Promise<boolean>;

const compare: PasswordMatches = (passwordHash, password) =>
  verify(passwordHash, normalise(password));

/** Runs beside the event loop, in a thread of the pool, when it is its turn. */
export const hashPassword = (password: string): Promise<string> =>
  inHashTurn(() => hash(normalise(password), cost));

export const passwordMatches: PasswordMatches = (passwordHash, password) =>
  inHashTurn(() => compare(passwordHash, password));

/** For work of which nothing may come between what it reads before it compares and what it writes after. */
export const comparingInTurn = <T>(work: (compare: PasswordMatches) => Promise<T>): Promise<T> =>
  inHashTurn(() => work(compare));

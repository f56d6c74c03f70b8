/**
 * The second factor of a sign-in: codes of an authenticator app, recovery codes for the day that it is
 * lost, and passkeys, which are two factors in one. This folder owns what a person has enrolled, what a
 * sign-in needs of it, and its single use. Where people are asked for it is `oidc/`'s and
 * `account-page/`'s.
 */
import { problemType } from "@portico/service-kit";
import type { Account } from "../accounts/account.ts";
import type { Role } from "../roles/role.ts";

/** NIST SP 800-63B's authenticator assurance levels: the `acr` of a sign-in, and what `acr_values` may ask. */
export const levels = ["aal1", "aal2"] as const;

/** `aal1`: one factor; `aal2`: two of them, or a passkey that verified its owner. */
export type Level = (typeof levels)[number];

/** One passkey (WebAuthn Level 2: a discoverable credential), as it is kept. */
export type Passkey = {
  /** Credential id, base64url. */
  id: string;
  publicKey: Uint8Array<ArrayBuffer>;
  /** Of signatures, as the authenticator counts them; always 0 where it does not. */
  counter: number;
  transports: string[];
  name: string;
  addedAt: Date;
  usedAt: Date | null;
};

/** What a person has enrolled. */
export type SecondFactors = {
  authenticator: { sealedSecret: string; lastStep: number; addedAt: Date } | null;
  passkeys: Passkey[];
  recoveryCodesLeft: number;
};

/** Recovery codes alone are none: they stand in for what was lost. */
export const isEnrolled = ({ authenticator, passkeys }: SecondFactors): boolean =>
  authenticator !== null || passkeys.length > 0;

/** RFC 8176: how each factor is called in `amr`. A passkey proves a key, and its owner by PIN or body. */
export const methods = { password: "pwd", code: "otp", passkey: "pop", several: "mfa" } as const;

export const levelOf = (amr: readonly string[] = []): Level =>
  amr.includes(methods.several) ? "aal2" : "aal1";

/** First factor, then second: what `amr` says of both. */
export const together = (first: readonly string[], second: string): string[] => [
  ...new Set([...first, second, methods.several]),
];

/** @param acrValues of the authorization request: the client takes any of them */
export const levelNeeded = (
  account: Pick<Account, "roles">,
  factors: SecondFactors,
  rolesThatNeedIt: readonly Role[],
  acrValues = "",
): Level => {
  const asked = levels.filter((level) => acrValues.split(" ").includes(level));
  const needsTwo =
    isEnrolled(factors) || needsByRole(account, rolesThatNeedIt) || asked[0] === "aal2";
  return needsTwo ? "aal2" : "aal1";
};

export const needsByRole = (
  { roles }: Pick<Account, "roles">,
  rolesThatNeedIt: readonly Role[],
): boolean => roles.some((role) => rolesThatNeedIt.includes(role));

export const isBelow = (level: Level, needed: Level): boolean =>
  levels.indexOf(level) < levels.indexOf(needed);

export const secondFactorRequired = problemType(
  403,
  "second-factor-required",
  "This account has a second factor: send `otp` or `recoveryCode` too. Passkeys work in a browser.",
);
export const enrolmentRequired = problemType(
  403,
  "second-factor-enrolment-required",
  "A role of this account needs a second factor. Add one at /auth/account first.",
);
export const invalidSecondFactor = problemType(
  401,
  "invalid-second-factor",
  "The code is wrong, or was used before.",
);

import { problemType } from "@portico/service-kit";
import { z } from "zod";
import type { Account } from "../accounts/account.ts";
import { type KeyRing, WrongKey } from "../key-ring/key-ring.ts";
import { enrolmentUri, newSecret, stepOf } from "./authenticator.ts";
import { newRecoveryCodes } from "./recovery-codes.ts";
import type { SecondFactorStore } from "./second-factor-store.ts";

/** What a person needs to put a secret into an app, and what the form that confirms it carries along. */
export type OfferedSecret = { secret: string; uri: string; sealed: string };

export type EnrolAuthenticator = {
  /** Changes nothing: the secret is kept by the page that shows it, sealed for this account. */
  offer(account: Pick<Account, "id" | "email">): OfferedSecret;
  /** The secret that a page carried along, to be shown again beside a wrong code. */
  reopen(account: Pick<Account, "id" | "email">, sealed: string): OfferedSecret;
  /**
   * Takes a first code as the proof that the app has the secret. Answers the recovery codes, which
   * nobody ever sees again, when the person had none; undefined for a wrong code.
   */
  confirm(
    account: Pick<Account, "id" | "email">,
    sealed: string,
    code: string,
  ): Promise<{ recoveryCodes: string[] } | undefined>;
};

export const outdatedSecret = problemType(
  400,
  "outdated-secret",
  "This page is too old. Go back and scan the new code.",
);
export const authenticatorExists = problemType(
  409,
  "authenticator-exists",
  "There is an authenticator app already. Remove it first.",
);

export const wrongFirstCode = "This is not the code that the app shows now. Is its clock right?";

const offerLifetimeMs = 15 * 60 * 1000;

const Offer = z.object({ secret: z.string(), until: z.number() });

/** Where a secret is sealed for: it opens at no other account, and for no other use. */
export const keptFor = (accountId: string): string => `authenticator of ${accountId}`;
const offeredTo = (accountId: string): string => `authenticator offered to ${accountId}`;

export function enrolAuthenticatorWith(
  keyRing: KeyRing,
  factors: SecondFactorStore,
  now: () => number = Date.now,
): EnrolAuthenticator {
  const offer = ({ id, email }: Pick<Account, "id" | "email">, secret = newSecret()) => {
    const offered = JSON.stringify({ secret, until: now() + offerLifetimeMs });
    const sealed = keyRing.seal(offered, offeredTo(id));
    return { secret, uri: enrolmentUri(secret, email), sealed };
  };

  const secretIn = (accountId: string, sealed: string): string => {
    const { secret, until } = openOffer(keyRing, accountId, sealed);
    if (until < now()) throw outdatedSecret();
    return secret;
  };

  return {
    offer: (account) => offer(account),
    reopen: (account, sealed) => offer(account, secretIn(account.id, sealed)),

    async confirm({ id }, sealed, code) {
      const secret = secretIn(id, sealed);
      const step = stepOf(secret, code, now());
      if (step === undefined) return undefined;
      const recovery = await codesForTheFirst(factors, id);
      // The step counts as used: the code that proved the secret signs nobody in.
      const added = await factors.addAuthenticator(id, keyRing.seal(secret, keptFor(id)), step);
      if (!added) throw authenticatorExists();
      await recovery.keep();
      return { recoveryCodes: recovery.codes };
    },
  };
}

function openOffer(keyRing: KeyRing, accountId: string, sealed: string) {
  try {
    return Offer.parse(JSON.parse(keyRing.open(sealed, offeredTo(accountId)).plaintext));
  } catch (error) {
    throw error instanceof WrongKey ? outdatedSecret() : error;
  }
}

/**
 * With the first second factor, whichever it is, come recovery codes. Made before it is added, which may
 * fail under load, and kept after, since there is nothing before that they belong to.
 */
export async function codesForTheFirst(
  factors: SecondFactorStore,
  accountId: string,
): Promise<{ codes: string[]; keep(): Promise<void> }> {
  const hasSome = (await factors.findRecoverySalt(accountId)) !== undefined;
  if (hasSome) return { codes: [], keep: async () => undefined };
  const { codes, kept } = await newRecoveryCodes();
  return { codes, keep: () => factors.setRecoveryCodes(accountId, kept) };
}

import { randomUUID } from "node:crypto";
import { anyone, endpoint, isDuplicateKey } from "@portico/service-kit";
import type { Outbox } from "@portico/service-kit/events";
import { z } from "zod";
import { type Account, EmailAddress, freshStanding, Name } from "./account.ts";
import { signUpRepeated, verificationRequested } from "./account-events.ts";
import type { AccountStore } from "./account-store.ts";
import { hashPassword, NewPassword, passwordMatches, unmatchableHash } from "./password.ts";

/**
 * Makes an account and asks for the proof of its address. The answer is the same for an address that
 * has an account already, so that nobody learns who is here; the mail tells the owner. That account is
 * left as it is: who cannot prove an address changes nothing about it.
 */
export const signUp = (accounts: AccountStore, outbox: Outbox) =>
  endpoint({
    method: "post",
    path: "/auth/sign-up",
    summary: "Sign up",
    description: "Answers the same whether or not the address has an account. Mail follows.",
    guard: anyone,
    body: z.object({ email: EmailAddress, password: NewPassword, name: Name.optional() }),
    reply: {
      status: 202,
      body: z.object({
        status: z.literal("verification-sent"),
        email: z.string().meta({ description: "Where the mail goes" }),
      }),
    },

    async handle({ body: { email, password, name } }) {
      // The same work for a known address as for a new one, or the time to answer would tell.
      const known = await accounts.findCredentials(email);
      const [passwordHash, isOwner] = await Promise.all([
        hashPassword(password),
        passwordMatches(known?.passwordHash ?? unmatchableHash, password),
      ]);
      const account = newAccount(email, name);
      if (known || !(await create(accounts, outbox, account, passwordHash))) {
        await tellOwner(accounts, outbox, email, isOwner);
      }
      return { status: "verification-sent" as const, email };
    },
  });

const newAccount = (email: string, name: string | undefined): Account => ({
  id: randomUUID(),
  email,
  name: name ?? null,
  emailVerified: false,
  roles: ["member"],
  premiumUntil: null,
  createdAt: new Date(),
  ...freshStanding,
});

/** False when the address has an account: of two sign-ups at once, the unique index lets one through. */
async function create(
  accounts: AccountStore,
  outbox: Outbox,
  account: Account,
  passwordHash: string,
): Promise<boolean> {
  try {
    await outbox.transaction(async (session, emit) => {
      await accounts.create(account, passwordHash, session);
      await emit(verificationRequested(account.id));
    });
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}

/**
 * Who has the account's password gets the link again. Anybody else gets the owner a note and no link:
 * pressing its button would verify a stranger's password along with the owner's address.
 */
async function tellOwner(
  accounts: AccountStore,
  outbox: Outbox,
  email: string,
  isOwner: boolean,
): Promise<void> {
  const account = await accounts.findByEmail(email);
  if (!account) return;
  const wantsLink = isOwner && !account.emailVerified;
  const event = wantsLink ? verificationRequested(account.id) : signUpRepeated(account.id);
  await outbox.transaction((_session, emit) => emit(event));
}

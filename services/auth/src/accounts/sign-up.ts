import { randomUUID } from "node:crypto";
import { anyone, endpoint, isDuplicateKey, tooManyRequests } from "@portico/service-kit";
import type { EventToSend, Outbox } from "@portico/service-kit/events";
import { z } from "zod";
import type { Attempts } from "../attempts/create-attempts.ts";
import type { AskedForMail } from "../attempts/mail-limit.ts";
import { type Account, EmailAddress, freshStanding, Name } from "./account.ts";
import { mailWithheld, signUpRepeated, verificationRequested } from "./account-events.ts";
import type { AccountStore } from "./account-store.ts";
import {
  hashPassword,
  NewPassword,
  passwordMatches,
  requireImpersonal,
  unmatchableHash,
} from "./password.ts";

type Dependencies = {
  accounts: AccountStore;
  outbox: Outbox;
  attempts: Pick<Attempts, "signUps" | "mails">;
};

/**
 * Makes an account and asks for the proof of its address. The answer is the same for an address that
 * has an account already, so that nobody learns who is here; the mail tells the owner. That account is
 * left as it is: who cannot prove an address changes nothing about it. Throws what is wrong with the
 * password, and 429.
 */
export type SignUp = (given: {
  email: string;
  password: string;
  name: string | null;
  address: string;
}) => Promise<void>;

export const signUpWith =
  (dependencies: Dependencies): SignUp =>
  async ({ email, password, name, address }) => {
    const { accounts, attempts } = dependencies;
    requireImpersonal(password, { email, name });
    await attempts.signUps.count(address);
    // The same work for a known address as for a new one, or the time to answer would tell.
    const known = await accounts.findCredentials(email);
    const [passwordHash, isOwner] = await Promise.all([
      hashPassword(password),
      passwordMatches(known?.passwordHash ?? unmatchableHash, password),
    ]);
    const isNew = !known && (await create(dependencies, newAccount(email, name), passwordHash));
    if (!isNew) await tellOwner(dependencies, email, known?.account, isOwner);
  };

export const signUpEndpoint = (signUp: SignUp) =>
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
    problems: [tooManyRequests],

    async handle({ body: { email, password, name = null }, address }) {
      await signUp({ email, password, name, address });
      return { status: "verification-sent" as const, email };
    },
  });

export const newAccount = (email: string, name: string | null): Account => ({
  id: randomUUID(),
  email,
  name,
  emailVerified: false,
  roles: ["member"],
  premiumUntil: null,
  createdAt: new Date(),
  ...freshStanding,
});

/** False when the address has an account: of two sign-ups at once, the unique index lets one through. */
async function create(
  { accounts, outbox, attempts }: Dependencies,
  account: Account,
  passwordHash: string,
): Promise<boolean> {
  const event = await mailed(attempts, "verification", account, verificationRequested);
  try {
    await outbox.transaction(async (session, emit) => {
      await accounts.create(account, passwordHash, session);
      await emit(event);
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
  { accounts, outbox, attempts }: Dependencies,
  email: string,
  known: Account | undefined,
  isOwner: boolean,
): Promise<void> {
  const account = known ?? (await accounts.findByEmail(email));
  if (!account) return;
  const event =
    isOwner && !account.emailVerified
      ? await mailed(attempts, "verification", account, verificationRequested)
      : await mailed(attempts, "sign-up-repeated", account, signUpRepeated);
  await outbox.transaction(async (session, emit) => {
    await accounts.noteSignUpRepeated(account.id, new Date(), session);
    await emit(event);
  });
}

const mailed = async (
  { mails }: Pick<Attempts, "mails">,
  kind: AskedForMail,
  { id, email }: Account,
  eventOf: (accountId: string) => EventToSend,
): Promise<EventToSend> => ((await mails.allows(kind, email)) ? eventOf(id) : mailWithheld(id));

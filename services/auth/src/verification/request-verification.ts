import { endpoint, missingToken, problemType, signedIn } from "@portico/service-kit";
import type { Outbox } from "@portico/service-kit/events";
import { z } from "zod";
import type { Account } from "../accounts/account.ts";
import { mailWithheld, verificationRequested } from "../accounts/account-events.ts";
import type { AccountStore } from "../accounts/account-store.ts";
import type { Attempts } from "../attempts/create-attempts.ts";

const alreadyVerified = problemType(409, "already-verified", "The address is verified already.");

/** Has the link sent again, if the mailbox bears it; says nothing about that. */
export type SendAgain = (account: Pick<Account, "id" | "email">) => Promise<void>;

export const sendAgainWith =
  (outbox: Outbox, { mails }: Pick<Attempts, "mails">): SendAgain =>
  async ({ id, email }) => {
    const isAllowed = await mails.allows("verification", email);
    const event = isAllowed ? verificationRequested(id) : mailWithheld(id);
    await outbox.transaction((_session, emit) => emit(event));
  };

/** Sends the verification link again; no more often than a mailbox bears. */
export const requestVerification = (accounts: AccountStore, sendAgain: SendAgain) =>
  endpoint({
    method: "post",
    path: "/auth/verification",
    summary: "Send the verification link again",
    description:
      "Three times an hour at most: after that the answer is the same, and no mail comes.",
    guard: signedIn,
    reply: {
      status: 202,
      body: z.object({ status: z.literal("verification-sent"), email: z.string() }),
    },
    problems: [alreadyVerified],

    async handle({ caller }) {
      const account = await accounts.find(caller.subject);
      if (!account) throw missingToken();
      if (account.emailVerified) throw alreadyVerified();
      await sendAgain(account);
      return { status: "verification-sent" as const, email: account.email };
    },
  });

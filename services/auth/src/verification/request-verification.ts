import { endpoint, missingToken, problemType, signedIn } from "@portico/service-kit";
import type { Outbox } from "@portico/service-kit/events";
import { z } from "zod";
import { mailWithheld, verificationRequested } from "../accounts/account-events.ts";
import type { AccountStore } from "../accounts/account-store.ts";
import type { Attempts } from "../attempts/create-attempts.ts";

const alreadyVerified = problemType(409, "already-verified", "The address is verified already.");

/** Sends the verification link again; no more often than a mailbox bears. */
export const requestVerification = (
  accounts: AccountStore,
  outbox: Outbox,
  { mails }: Pick<Attempts, "mails">,
) =>
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
      const event = (await mails.allows("verification", account.email))
        ? verificationRequested(account.id)
        : mailWithheld(account.id);
      await outbox.transaction((_session, emit) => emit(event));
      return { status: "verification-sent" as const, email: account.email };
    },
  });

import { endpoint, missingToken, problemType, signedIn } from "@portico/service-kit";
import type { Outbox } from "@portico/service-kit/events";
import { z } from "zod";
import { verificationRequested } from "../accounts/account-events.ts";
import type { AccountStore } from "../accounts/account-store.ts";

const alreadyVerified = problemType(409, "already-verified", "The address is verified already.");

/** Sends the verification link again. */
export const requestVerification = (accounts: AccountStore, outbox: Outbox) =>
  endpoint({
    method: "post",
    path: "/auth/verification",
    summary: "Send the verification link again",
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
      await outbox.transaction((_session, emit) => emit(verificationRequested(account.id)));
      return { status: "verification-sent" as const, email: account.email };
    },
  });

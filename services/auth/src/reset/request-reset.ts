import { randomUUID } from "node:crypto";
import { anyone, endpoint, tooManyRequests } from "@portico/service-kit";
import type { Outbox } from "@portico/service-kit/events";
import { z } from "zod";
import { EmailAddress } from "../accounts/account.ts";
import { mailWithheld, resetRequested } from "../accounts/account-events.ts";
import type { AccountStore } from "../accounts/account-store.ts";
import type { Attempts } from "../attempts/create-attempts.ts";

/** Has a link mailed, if the address has an account. Nothing that can be seen or timed tells whether. */
export type RequestReset = (given: { email: string; address: string }) => Promise<void>;

/** Where there is no account the event is written all the same, about one that nobody has. */
export const requestResetWith =
  (
    accounts: Pick<AccountStore, "findByEmail">,
    outbox: Outbox,
    attempts: Pick<Attempts, "resets" | "mails">,
  ): RequestReset =>
  async ({ email, address }) => {
    await attempts.resets.count(address);
    const isAllowed = await attempts.mails.allows("reset", email);
    const account = await accounts.findByEmail(email);
    const eventOf = isAllowed ? resetRequested : mailWithheld;
    await outbox.transaction((_session, emit) => emit(eventOf(account?.id ?? randomUUID())));
  };

export const requestResetEndpoint = (requestReset: RequestReset) =>
  endpoint({
    method: "post",
    path: "/auth/password-resets",
    summary: "Ask for a link to choose a new password",
    description:
      "Answers the same whether or not the address has an account; five mails an hour at most.",
    guard: anyone,
    body: z.object({ email: EmailAddress }),
    reply: { status: 202, body: z.object({ status: z.literal("reset-requested") }) },
    problems: [tooManyRequests],

    async handle({ body: { email }, address }) {
      await requestReset({ email, address });
      return { status: "reset-requested" as const };
    },
  });

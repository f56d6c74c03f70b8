/**
 * What every service owes a person who leaves: to remove what it holds of them when auth says that the
 * account is erased, and to tell auth that it did. auth asks more than once: at once, and again (`final`)
 * when no request that the account had begun can still be writing.
 */
import { z } from "zod";
import type { EventHandler } from "./inbox.ts";
import type { Outbox } from "./outbox.ts";

export const accountErasedType = "account-erased";

/** Of `dev.portico.auth.account-erased`, and of each service's answer to it. */
export const AccountErased = z.object({ accountId: z.string().min(1), final: z.boolean() });

export type AccountErased = z.output<typeof AccountErased>;

/** For the handlers of a consumer that hears auth. */
export const onAccountErased = `dev.portico.auth.${accountErasedType}`;

/**
 * @param erase runs before the event's transaction, since there may be much to remove; it may run again
 */
export const answerErasure =
  (erase: (accountId: string) => Promise<void>, outbox: Pick<Outbox, "emit">): EventHandler =>
  async (event, session) => {
    const data = AccountErased.parse(event.data);
    await erase(data.accountId);
    await outbox.emit({ type: accountErasedType, subject: data.accountId, data }, session);
  };

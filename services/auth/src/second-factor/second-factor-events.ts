import type { Logger } from "@portico/service-kit";
import type { EventToSend, Outbox } from "@portico/service-kit/events";
import type { ClientSession } from "mongoose";
import { z } from "zod";
import type { SecondFactorStore } from "./second-factor-store.ts";

export const Change = z.enum([
  "authenticator-added",
  "authenticator-removed",
  "passkey-added",
  "passkey-removed",
  "recovery-codes-renewed",
]);

export type Change = z.output<typeof Change>;

/** What protects the account is not what it was; its owner is to hear of it. */
export const secondFactorChanged = (accountId: string, change: Change): EventToSend => ({
  type: "second-factor-changed",
  subject: accountId,
  data: { accountId, change },
});

/**
 * The store, of which each addition tells in the same transaction. Removals are part of larger ones, and
 * tell by themselves: remove-second-factor.ts.
 */
export function tellOfAdditions(
  factors: SecondFactorStore,
  outbox: Outbox,
  logger: Pick<Logger, "info">,
): SecondFactorStore {
  const tell = async (
    accountId: string,
    change: Change,
    add: (session: ClientSession) => Promise<boolean>,
  ) => {
    const added = await outbox.transaction(async (session, emit) => {
      const isNew = await add(session);
      if (isNew) await emit(secondFactorChanged(accountId, change));
      return isNew;
    });
    if (added) logger.info("second-factor.changed", { accountId, change });
    return added;
  };
  return {
    ...factors,
    addAuthenticator: (accountId, sealedSecret, step) =>
      tell(accountId, "authenticator-added", (session) =>
        factors.addAuthenticator(accountId, sealedSecret, step, session),
      ),
    addPasskey: (accountId, passkey) =>
      tell(accountId, "passkey-added", (session) =>
        factors.addPasskey(accountId, passkey, session),
      ),
  };
}

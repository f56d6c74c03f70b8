import type { EventToSend, Outbox } from "@portico/service-kit/events";
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
export function tellOfAdditions(factors: SecondFactorStore, outbox: Outbox): SecondFactorStore {
  return {
    ...factors,
    addAuthenticator: (accountId, sealedSecret, step) =>
      outbox.transaction(async (session, emit) => {
        const added = await factors.addAuthenticator(accountId, sealedSecret, step, session);
        if (added) await emit(secondFactorChanged(accountId, "authenticator-added"));
        return added;
      }),
    addPasskey: (accountId, passkey) =>
      outbox.transaction(async (session, emit) => {
        const added = await factors.addPasskey(accountId, passkey, session);
        if (added) await emit(secondFactorChanged(accountId, "passkey-added"));
        return added;
      }),
  };
}

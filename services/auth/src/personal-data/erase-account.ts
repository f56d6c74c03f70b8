import type { Outbox } from "@portico/service-kit/events";
import type { AccountStore } from "../accounts/account-store.ts";
import type { Revoke } from "../revocation/revoke.ts";
import { accountErased, type Erasure, hashReceiptId, newReceiptId } from "./erasure.ts";
import type { ErasureStore } from "./erasure-store.ts";
import { type Holdings, removeAll } from "./holding.ts";

/** Answers the receipt; undefined when there is no such account (any more). */
export type EraseAccount = (
  accountId: string,
) => Promise<{ receiptId: string; erasure: Erasure } | undefined>;

export type ErasureDependencies = {
  accounts: Pick<AccountStore, "remove">;
  holdings: Holdings;
  erasures: ErasureStore;
  revoke: Pick<Revoke, "account">;
  outbox: Outbox;
  now?: () => Date;
};

/**
 * In one transaction: the account is gone and its address free, its sessions and tokens have ended, and
 * the other services will hear of it. Killed in between, nothing has happened.
 */
export const eraseAccountWith = (dependencies: ErasureDependencies): EraseAccount => {
  const { accounts, holdings, erasures, revoke, outbox, now = () => new Date() } = dependencies;

  return async (accountId) => {
    const receiptId = newReceiptId();
    const erasure = await outbox.transaction(async (session, emit) => {
      // First: of two erasures at once, one finds the account.
      if (!(await accounts.remove(accountId, session))) return undefined;
      await removeAll(holdings, accountId, session);
      await revoke.account(accountId, session);
      await emit(accountErased({ accountId, final: false }));
      return erasures.begin(hashReceiptId(receiptId), accountId, now(), session);
    });
    return erasure && { receiptId, erasure };
  };
};

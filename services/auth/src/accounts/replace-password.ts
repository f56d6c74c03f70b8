import type { Outbox } from "@portico/service-kit/events";
import type { ClientSession } from "mongoose";
import type { Revoke } from "../revocation/revoke.ts";
import type { SessionStore } from "../sessions/session-store.ts";
import type { Account } from "./account.ts";
import { passwordChanged } from "./account-events.ts";
import type { AccountStore } from "./account-store.ts";

/**
 * Gives the account another password, ends every session that it has and has its owner told, in one
 * transaction with what `alongside` does. False, and nothing done, when the account has another address
 * by now, or is gone.
 */
export type ReplacePassword = (
  account: Account,
  passwordHash: string,
  alongside?: (session: ClientSession) => Promise<void>,
) => Promise<boolean>;

export const replacePasswordWith =
  (
    accounts: Pick<AccountStore, "setPassword">,
    outbox: Outbox,
    revoke: Pick<Revoke, "account">,
    sessions: Pick<SessionStore, "endAll">,
  ): ReplacePassword =>
  (account, passwordHash, alongside) =>
    outbox.transaction(async (session, emit) => {
      await alongside?.(session);
      if (!(await accounts.setPassword(account, passwordHash, session))) return false;
      await revoke.account(account.id, session);
      await sessions.endAll(account.id, { session });
      await emit(passwordChanged(account.id));
      return true;
    });

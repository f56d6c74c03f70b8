/**
 * What an administrator changes about somebody's standing. Each change ends what the person had before
 * it, in one transaction: no token that says otherwise outlives it.
 */
import { forbidden, type Logger } from "@portico/service-kit";
import type { Connection } from "mongoose";
import type { Revoke } from "../revocation/revoke.ts";
import type { Role } from "../roles/role.ts";
import type { SessionStore } from "../sessions/session-store.ts";
import type { Account } from "./account.ts";
import type { AccountStore, Standing } from "./account-store.ts";

/**
 * Answers the account as it is now; undefined when there is none. What changes nothing ends nothing.
 * Throws 403 when whoever asks is no administrator by then: for a second their token may say so still.
 * @param by the administrator's account, for the record
 */
export type Administer = (
  accountId: string,
  change: Standing,
  by: string,
) => Promise<Account | undefined>;

const sameRoles = (some: readonly Role[], others: readonly Role[]): boolean =>
  some.every((role) => others.includes(role)) && others.every((role) => some.includes(role));

const isNew = (account: Account, { status, roles }: Standing): boolean =>
  (status !== undefined && status !== account.status) ||
  (roles !== undefined && !sameRoles(roles, account.roles));

export const administerWith =
  (
    connection: Connection,
    accounts: Pick<AccountStore, "find" | "lockStanding" | "setStanding">,
    revoke: Pick<Revoke, "account">,
    sessions: Pick<SessionStore, "endAll">,
    logger: Logger,
  ): Administer =>
  async (accountId, change, by) => {
    const changed = await connection.transaction(async (session) => {
      const account = await accounts.find(accountId, session);
      if (!account || !isNew(account, change)) return false;
      const { status, roles } = (await accounts.lockStanding(by, session)) ?? {};
      if (status !== "active" || !roles?.includes("admin")) throw forbidden();
      await accounts.setStanding(accountId, change, session);
      await revoke.account(accountId, session);
      // A role that comes or goes signs nobody out: the next refresh brings a token that says so.
      if (change.status === "suspended") await sessions.endAll(accountId, { session });
      return true;
    });
    if (changed) logger.info("account.changed", { accountId, ...change, by });
    return accounts.find(accountId);
  };

import { type Logger, notFound, problemType } from "@portico/service-kit";
import type { Outbox } from "@portico/service-kit/events";
import type { ClientSession } from "mongoose";
import type { AccountStore } from "../accounts/account-store.ts";
import { lastWayIn } from "../identity-providers/linked-identity.ts";
import type { LinkedIdentityStore } from "../identity-providers/linked-identity-store.ts";
import type { Revoke } from "../revocation/revoke.ts";
import type { SessionStore } from "../sessions/session-store.ts";
import type { SecondFactor } from "./create-second-factor.ts";
import { isEnrolled, needsByRole, type SecondFactors } from "./second-factor.ts";
import { type Change, secondFactorChanged } from "./second-factor-events.ts";

export type Removed = { kind: "authenticator" } | { kind: "passkey"; id: string };

/**
 * Takes a second factor away, signs everybody else out, and has the owner told, in one transaction.
 * @param except the session that goes on
 */
export type RemoveSecondFactor = (
  accountId: string,
  removed: Removed,
  except: string | undefined,
) => Promise<void>;

export const neededByRole = problemType(
  409,
  "second-factor-needed",
  "A role of this account needs a second factor: add another one first.",
);

type Dependencies = {
  accounts: AccountStore;
  secondFactor: Pick<SecondFactor, "factors" | "rolesThatNeedIt">;
  identities: Pick<LinkedIdentityStore, "listOf">;
  sessions: Pick<SessionStore, "endAll">;
  revoke: Pick<Revoke, "account">;
  outbox: Outbox;
  logger: Pick<Logger, "info">;
};

export const removeSecondFactorWith = (dependencies: Dependencies): RemoveSecondFactor => {
  const { accounts, identities, sessions, revoke, outbox, logger } = dependencies;
  const { factors, rolesThatNeedIt } = dependencies.secondFactor;

  const requireAnother = async (accountId: string, left: SecondFactors, session: ClientSession) => {
    const locked = await accounts.lockWaysIn(accountId, session);
    const account = await accounts.find(accountId, session);
    if (!locked || !account) throw notFound("There is no such account.");
    if (!isEnrolled(left) && needsByRole(account, rolesThatNeedIt)) throw neededByRole();
    const waysIn = locked.hasPassword ? 1 : (await identities.listOf(accountId, session)).length;
    if (waysIn + left.passkeys.length === 0) throw lastWayIn();
  };

  const remove = (accountId: string, removed: Removed, session: ClientSession) =>
    removed.kind === "authenticator"
      ? factors.removeAuthenticator(accountId, session)
      : factors.removePasskey(accountId, removed.id, session);

  return async (accountId, removed, except) => {
    await outbox.transaction(async (session, emit) => {
      const enrolled = await factors.find(accountId, session);
      await requireAnother(accountId, without(enrolled, removed), session);
      if (!(await remove(accountId, removed, session))) {
        throw notFound("There is no such second factor.");
      }
      await revoke.account(accountId, session);
      await sessions.endAll(accountId, { except, session });
      await emit(secondFactorChanged(accountId, changeOf(removed)));
    });
    logger.info("second-factor.changed", { accountId, change: changeOf(removed) });
  };
};

const without = (enrolled: SecondFactors, removed: Removed): SecondFactors =>
  removed.kind === "authenticator"
    ? { ...enrolled, authenticator: null }
    : { ...enrolled, passkeys: enrolled.passkeys.filter(({ id }) => id !== removed.id) };

const changeOf = ({ kind }: Removed): Change => `${kind}-removed`;

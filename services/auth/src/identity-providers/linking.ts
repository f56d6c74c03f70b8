/**
 * Adding a way into an account, and taking one away. Each happens in one transaction that begins by
 * locking the account's ways in, so that of two at once each sees what the other did.
 */
import { randomUUID } from "node:crypto";
import { isDuplicateKey, type Logger, notFound } from "@portico/service-kit";
import type { EventToSend, Outbox } from "@portico/service-kit/events";
import type { ClientSession } from "mongoose";
import type { Account } from "../accounts/account.ts";
import type { AccountStore } from "../accounts/account-store.ts";
import type { SecondFactorStore } from "../second-factor/second-factor-store.ts";
import type { SessionStore } from "../sessions/session-store.ts";
import type { ProvidedIdentity } from "./identity-provider.ts";
import {
  addressNotProved,
  type LinkedIdentity,
  lastWayIn,
  linkedElsewhere,
  mostLinked,
  tooManyLinked,
} from "./linked-identity.ts";
import type { LinkedIdentityStore } from "./linked-identity-store.ts";

/** A person at a provider, and by which of those that are configured they came. */
export type Arrival = { providerId: string; identity: ProvidedIdentity };

export type Linking = {
  /** A new account for somebody whose address the provider proved. False when the address is taken. */
  createAccount(account: Account, arrival: Arrival): Promise<boolean>;
  /** To an account whose owner has just proved that it is theirs. Doing it again changes nothing. */
  link(accountId: string, arrival: Arrival): Promise<void>;
  /**
   * Never the last way in. Ends all sessions but one: any of them may have begun with that identity.
   * @throws notFound
   */
  unlink(accountId: string, id: string, keptSessionId?: string): Promise<void>;
};

type Dependencies = {
  accounts: AccountStore;
  identities: LinkedIdentityStore;
  factors: Pick<SecondFactorStore, "find">;
  sessions: Pick<SessionStore, "endAll">;
  outbox: Outbox;
  logger: Logger;
  now?: () => Date;
};

export function createLinking(dependencies: Dependencies): Linking {
  const {
    accounts,
    identities,
    factors,
    sessions,
    outbox,
    logger,
    now = () => new Date(),
  } = dependencies;

  const add = (accountId: string, arrival: Arrival, session: ClientSession) =>
    identities.add(toLinkedIdentity(accountId, arrival, now()), session);

  return {
    async createAccount(account, arrival) {
      try {
        await outbox.transaction(async (session) => {
          await accounts.create(account, null, session);
          await add(account.id, arrival, session);
        });
      } catch (error) {
        if (isDuplicateKey(error)) return false;
        throw error;
      }
      logger.info("account.created", { accountId: account.id, provider: arrival.providerId });
      return true;
    },

    async link(accountId, arrival) {
      const { identity, providerId } = arrival;
      const known = await identities.find(identity.issuer, identity.subject);
      if (known?.accountId === accountId) return;
      if (known) throw linkedElsewhere();
      await outbox.transaction(async (session, emit) => {
        await accounts.lockWaysIn(accountId, session);
        const account = await accounts.find(accountId, session);
        if (!account) throw notFound("There is no such account.");
        requireProvedAddresses(account, identity);
        if ((await identities.listOf(accountId, session)).length >= mostLinked)
          throw tooManyLinked();
        await add(accountId, arrival, session).catch(refuseTaken);
        await accounts.markEmailVerified(accountId, String(identity.email), session);
        await emit(identityLinked(accountId, providerId));
      });
      logger.info("identity.linked", { accountId, provider: providerId });
    },

    async unlink(accountId, id, keptSessionId) {
      const provider = await outbox.transaction(async (session, emit) => {
        const locked = await accounts.lockWaysIn(accountId, session);
        const linked = await identities.listOf(accountId, session);
        const { passkeys } = await factors.find(accountId, session);
        const one = linked.find((candidate) => candidate.id === id);
        if (!locked || !one) throw notFound("There is no such linked identity.");
        const othersLeft = linked.length - 1 + passkeys.length + (locked.hasPassword ? 1 : 0);
        if (othersLeft === 0) throw lastWayIn();
        await identities.remove(accountId, id, session);
        await sessions.endAll(accountId, { except: keptSessionId, session });
        await emit(identityUnlinked(accountId, one.providerId));
        return one.providerId;
      });
      logger.info("identity.unlinked", { accountId, provider });
    },
  };
}

const toLinkedIdentity = (
  accountId: string,
  { providerId, identity }: Arrival,
  now: Date,
): LinkedIdentity => ({
  id: randomUUID(),
  accountId,
  providerId,
  issuer: identity.issuer,
  subject: identity.subject,
  email: identity.email ?? "",
  linkedAt: now,
  usedAt: now,
});

/**
 * The provider proved an address, and the account's is proved too, or is that very one. Else somebody
 * could prepare an account under another person's address, with an identity of their own as a back door.
 */
function requireProvedAddresses(
  account: Account,
  { email, emailVerified }: ProvidedIdentity,
): void {
  const accountsIsProved = account.emailVerified || account.email === email;
  if (!email || !emailVerified || !accountsIsProved) throw addressNotProved();
}

const refuseTaken = (error: unknown): never => {
  throw isDuplicateKey(error) ? linkedElsewhere() : error;
};

/** Its owner is to hear that another way leads into the account. */
const identityLinked = (accountId: string, provider: string): EventToSend => ({
  type: "identity-linked",
  subject: accountId,
  data: { accountId, provider },
});

const identityUnlinked = (accountId: string, provider: string): EventToSend => ({
  type: "identity-unlinked",
  subject: accountId,
  data: { accountId, provider },
});

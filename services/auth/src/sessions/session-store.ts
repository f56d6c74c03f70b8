/** The only file that reads and ends what the protocol library keeps of a person's sessions. */
import type { ClientSession, Connection, mongo } from "mongoose";
import type { AnnounceEnd } from "../logout/announce-end.ts";
import { boundToGrants } from "../oidc/adapter.ts";
import type { Stored } from "../oidc/stored.ts";
import type { FamilyUses } from "../refresh-tokens/family-store.ts";
import type { Revoke } from "../revocation/revoke.ts";
import { grantIdsOf, toSessions } from "./gather-sessions.ts";
import { endedId, type KeptSession } from "./keep-sessions.ts";
import type { Session } from "./session.ts";

export type SessionStore = {
  /** The newest first. */
  list(accountId: string): Promise<Session[]>;
  /** With everything that was granted in it. False when the account has no such session. */
  end(accountId: string, sessionId: string): Promise<boolean>;
  /** What was granted alone, in a session that may go on. */
  endGrant(grantId: string): Promise<void>;
  /** Everything that the account granted the client. */
  endGrantsTo(clientId: string, accountId: string, session: ClientSession): Promise<void>;
  /**
   * All of the account's, and those that somebody is just beginning. With `session` it happens in that
   * transaction or not at all.
   */
  endAll(
    accountId: string,
    options?: { except?: string | undefined; session?: ClientSession },
  ): Promise<void>;
};

/** So many are there only when somebody makes them by program. */
const mostListed = 500;

/** A request that began before a session ended is over by then. */
const markKeptMs = 600_000;

/** Where an interaction says who somebody is, before there is a session. */
const proofsInInteractions = [
  "payload.result.login.accountId",
  "payload.result.firstFactor.accountId",
];

type Store = mongo.Collection<KeptSession>;

export function createSessionStore(
  connection: Connection,
  families: FamilyUses,
  revoke: Pick<Revoke, "grant">,
  announceEnd: AnnounceEnd,
): SessionStore {
  const db = connection.getClient().db(connection.name);
  const sessions: Store = db.collection("sessions");
  const grants: Store = db.collection("grants");
  const interactions = db.collection<Stored>("interactions");

  const of = (store: Store, accountId: string, session?: ClientSession) =>
    store.find({ "payload.accountId": accountId }, { session });

  /** Of the newest, as many as anybody can look at. */
  const newestOf = (store: Store, accountId: string) =>
    of(store, accountId).sort({ "payload.iat": -1 }).limit(mostListed).toArray();

  const endGrants = async (ids: readonly string[], session: ClientSession) => {
    for (const id of ids) await revoke.grant(id, session);
    const bound = { grantId: { $in: [...ids] } };
    for (const name of boundToGrants) await db.collection(name).deleteMany(bound, { session });
    await grants.deleteMany({ _id: { $in: [...ids] } }, { session });
  };

  const endBrowsers = async (ended: readonly KeptSession[], session: ClientSession) => {
    for (const browser of ended) {
      const { uid = "" } = browser;
      await announceEnd(browser, session);
      const mark = { payload: {}, expiresAt: new Date(Date.now() + markKeptMs) };
      await sessions.replaceOne({ _id: endedId(uid) }, mark, { session, upsert: true });
      await sessions.deleteMany({ uid }, { session });
    }
  };

  const end = async (accountId: string, id: string, session: ClientSession) => {
    const owned = { "payload.accountId": accountId };
    const browser = await sessions.findOne({ uid: id, ...owned }, { session });
    const grant = await grants.findOne({ _id: id, ...owned }, { session });
    if (browser) {
      await endGrants(grantIdsOf(browser), session);
      await endBrowsers([browser], session);
    } else if (grant) {
      await endGrants([id], session);
    }
    return browser !== null || grant !== null;
  };

  const endAll = async (accountId: string, except: string | undefined, session: ClientSession) => {
    const browsers = await of(sessions, accountId, session).toArray();
    const granted = await of(grants, accountId, session).toArray();
    const kept = browsers.find(({ uid }) => uid === except);
    const keptGrants = kept ? grantIdsOf(kept) : [except];
    const endedGrants = granted.map(({ _id }) => _id).filter((id) => !keptGrants.includes(id));
    await endGrants(endedGrants, session);
    await endBrowsers(
      browsers.filter((browser) => browser !== kept),
      session,
    );
    // Somebody who proved a password a moment ago, and did not go on yet.
    const proved = proofsInInteractions.map((field) => ({ [field]: accountId }));
    await interactions.deleteMany({ $or: proved }, { session });
  };

  return {
    async list(accountId) {
      const [browsers, granted, uses] = await Promise.all([
        newestOf(sessions, accountId),
        newestOf(grants, accountId),
        families.lastUses(accountId),
      ]);
      return toSessions(browsers, granted, uses, new Date());
    },
    end: (accountId, sessionId) =>
      connection.transaction((session) => end(accountId, sessionId, session)) as Promise<boolean>,
    async endGrant(grantId) {
      await connection.transaction((session) => endGrants([grantId], session));
    },
    async endGrantsTo(clientId, accountId, session) {
      const granted = { "payload.accountId": accountId, "payload.clientId": clientId };
      const found = await grants.find(granted, { session }).toArray();
      await endGrants(
        found.map(({ _id }) => _id),
        session,
      );
    },
    async endAll(accountId, { except, session } = {}) {
      if (session) await endAll(accountId, except, session);
      else await connection.transaction((own) => endAll(accountId, except, own));
    },
  };
}

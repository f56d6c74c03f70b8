/** The only file that knows how consents are kept: one for each account and client. */
import type { ClientSession, Connection } from "mongoose";
import type { Consent } from "./consent.ts";

type ConsentDocument = Consent & { accountId: string };

export type ConsentStore = {
  /** Scopes that the person allowed the client. */
  find(accountId: string, clientId: string): Promise<string[]>;
  /** Allows these too. */
  add(accountId: string, clientId: string, scopes: readonly string[]): Promise<void>;
  /** The newest first. */
  listOf(accountId: string): Promise<Consent[]>;
  /** False when there was none. */
  remove(accountId: string, clientId: string, session: ClientSession): Promise<boolean>;
  removeAllOf(accountId: string, session: ClientSession): Promise<void>;
  removeAllTo(clientId: string, session: ClientSession): Promise<void>;
};

export function createConsentStore(connection: Connection): ConsentStore {
  const consents = connection
    .getClient()
    .db(connection.name)
    .collection<ConsentDocument>("consents");

  return {
    async find(accountId, clientId) {
      return (await consents.findOne({ accountId, clientId }))?.scopes ?? [];
    },

    async add(accountId, clientId, scopes) {
      const change = {
        $addToSet: { scopes: { $each: [...scopes] } },
        $set: { givenAt: new Date() },
      };
      await consents.updateOne({ accountId, clientId }, change, { upsert: true });
    },

    listOf: (accountId) =>
      consents
        .find({ accountId }, { projection: { _id: 0, accountId: 0 } })
        .sort({ givenAt: -1 })
        .toArray(),

    async remove(accountId, clientId, session) {
      const { deletedCount } = await consents.deleteOne({ accountId, clientId }, { session });
      return deletedCount === 1;
    },

    async removeAllOf(accountId, session) {
      await consents.deleteMany({ accountId }, { session });
    },

    async removeAllTo(clientId, session) {
      await consents.deleteMany({ clientId }, { session });
    },
  };
}

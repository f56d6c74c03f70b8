/** The only file that knows how revocations are kept: written once, never changed, gone by themselves. */
import type { Revocation } from "@portico/service-kit";
import type { ClientSession, Connection, mongo } from "mongoose";

/** `expiresAt` is the revocation's `until`, as a TTL index wants it. */
export type RevocationDocument = {
  _id: mongo.ObjectId;
  revocation: Revocation;
  expiresAt: Date;
};

export type RevocationStore = {
  add(revocation: Revocation, session?: ClientSession): Promise<void>;
};

export const revocationsOf = (connection: Connection) =>
  connection.getClient().db(connection.name).collection<RevocationDocument>("revocations");

export function createRevocationStore(connection: Connection): RevocationStore {
  const revocations = revocationsOf(connection);
  return {
    async add(revocation, session) {
      const expiresAt = new Date(revocation.until * 1000);
      await revocations.insertOne({ revocation, expiresAt } as RevocationDocument, { session });
    },
  };
}

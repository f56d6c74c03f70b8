/** The only file that knows how linked identities are kept. */
import type { ClientSession, Connection } from "mongoose";
import type { LinkedIdentity } from "./linked-identity.ts";

type LinkedIdentityDocument = Omit<LinkedIdentity, "id"> & { _id: string };

export type LinkedIdentityStore = {
  /** Fails with MongoDB's duplicate key when that person of that issuer opens an account already. */
  add(linked: LinkedIdentity, session: ClientSession): Promise<void>;
  find(issuer: string, subject: string): Promise<LinkedIdentity | undefined>;
  /** Oldest first; bounded by what one account may have. */
  listOf(accountId: string, session?: ClientSession): Promise<LinkedIdentity[]>;
  used(id: string, email: string | undefined, now: Date): Promise<void>;
  /** False when the account has no such one. */
  remove(accountId: string, id: string, session: ClientSession): Promise<boolean>;
  removeAll(accountId: string, session?: ClientSession): Promise<void>;
};

export function createLinkedIdentityStore(connection: Connection): LinkedIdentityStore {
  const linked = connection
    .getClient()
    .db(connection.name)
    .collection<LinkedIdentityDocument>("linkedIdentities");

  return {
    async add({ id, ...rest }, session) {
      await linked.insertOne({ _id: id, ...rest }, { session });
    },

    async find(issuer, subject) {
      const document = await linked.findOne({ issuer, subject });
      return document ? toLinkedIdentity(document) : undefined;
    },

    async listOf(accountId, session) {
      const documents = await linked
        .find({ accountId }, { ...(session && { session }) })
        .sort({ linkedAt: 1 })
        .toArray();
      return documents.map(toLinkedIdentity);
    },

    async used(id, email, now) {
      await linked.updateOne({ _id: id }, { $set: { usedAt: now, ...(email && { email }) } });
    },

    async remove(accountId, id, session) {
      const { deletedCount } = await linked.deleteOne({ _id: id, accountId }, { session });
      return deletedCount === 1;
    },

    async removeAll(accountId, session) {
      await linked.deleteMany({ accountId }, { ...(session && { session }) });
    },
  };
}

const toLinkedIdentity = ({ _id, ...rest }: LinkedIdentityDocument): LinkedIdentity => ({
  id: _id,
  ...rest,
});

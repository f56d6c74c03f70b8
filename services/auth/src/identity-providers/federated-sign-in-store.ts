/** The only file that knows how sign-ins that are under way to a provider are kept. */
import type { Connection } from "mongoose";
import type { FederatedSignIn } from "./federated-sign-in.ts";
import type { ProvidedIdentity } from "./identity-provider.ts";

type FederatedSignInDocument = Omit<FederatedSignIn, "stateHash"> & { _id: string };

/** Whose answer it must be. */
export type Answered = Pick<FederatedSignIn, "stateHash" | "browserHash" | "providerId">;

export type FederatedSignInStore = {
  add(signIn: FederatedSignIn): Promise<void>;
  /**
   * Takes the one answer that there may be: of two at once, one gets it. Nothing for the state of another
   * browser or another provider.
   */
  answer(answered: Answered, now: Date): Promise<FederatedSignIn | undefined>;
  identified(stateHash: string, identity: ProvidedIdentity): Promise<void>;
  /** The newest of a chain of interactions whose person is known. */
  findIdentified(chain: string, now: Date): Promise<FederatedSignIn | undefined>;
  forget(stateHash: string): Promise<void>;
  /** All of a chain: it came to an end. */
  forgetChain(chain: string): Promise<void>;
};

export function createFederatedSignInStore(connection: Connection): FederatedSignInStore {
  const signIns = connection
    .getClient()
    .db(connection.name)
    .collection<FederatedSignInDocument>("federatedSignIns");

  return {
    async add({ stateHash, ...rest }) {
      await signIns.insertOne({ _id: stateHash, ...rest });
    },

    async answer({ stateHash, browserHash, providerId }, now) {
      const document = await signIns.findOneAndUpdate(
        { _id: stateHash, browserHash, providerId, answeredAt: null, expiresAt: { $gt: now } },
        { $set: { answeredAt: now } },
        { returnDocument: "after" },
      );
      return document ? toSignIn(document) : undefined;
    },

    async identified(stateHash, identity) {
      await signIns.updateOne({ _id: stateHash }, { $set: { identity } });
    },

    async findIdentified(chain, now) {
      const document = await signIns.findOne(
        { "purpose.chain": chain, identity: { $ne: null }, expiresAt: { $gt: now } },
        { sort: { answeredAt: -1 } },
      );
      return document ? toSignIn(document) : undefined;
    },

    async forget(stateHash) {
      await signIns.deleteOne({ _id: stateHash });
    },

    async forgetChain(chain) {
      await signIns.deleteMany({ "purpose.chain": chain });
    },
  };
}

const toSignIn = ({ _id, ...rest }: FederatedSignInDocument): FederatedSignIn => ({
  stateHash: _id,
  ...rest,
});

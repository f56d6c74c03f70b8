/** The only file that knows how second factors are kept: one document for each person that has any. */
import { isDuplicateKey } from "@portico/service-kit";
import mongoose, { type ClientSession, type Connection, type mongo } from "mongoose";
import type { HashedCodes } from "./recovery-codes.ts";
import type { Passkey, SecondFactors } from "./second-factor.ts";

type StoredPasskey = Omit<Passkey, "publicKey"> & { publicKey: mongo.Binary };

type SecondFactorDocument = {
  /** The account's id. */
  _id: string;
  authenticator: SecondFactors["authenticator"];
  passkeys: StoredPasskey[];
  recoveryCodes: { salt: mongo.Binary; hashes: string[] } | null;
};

/** With `session` a change happens in that transaction or not at all. */
export type SecondFactorStore = {
  find(accountId: string, session?: ClientSession): Promise<SecondFactors>;
  findByPasskey(passkeyId: string): Promise<{ accountId: string; passkey: Passkey } | undefined>;
  /** False when there is one already. */
  addAuthenticator(
    accountId: string,
    sealedSecret: string,
    step: number,
    session?: ClientSession,
  ): Promise<boolean>;
  /**
   * RFC 6238 section 5.2: false when this step, or a later one, was used before.
   * @param sealedAgain the secret that was used, and what to keep instead
   */
  useStep(
    accountId: string,
    step: number,
    sealedAgain?: { from: string; to: string },
  ): Promise<boolean>;
  removeAuthenticator(accountId: string, session?: ClientSession): Promise<boolean>;
  /** False when there are too many already; fails with MongoDB's duplicate key when it is somebody's. */
  addPasskey(accountId: string, passkey: Passkey, session?: ClientSession): Promise<boolean>;
  /** False when the counter did not grow: the authenticator, or an answer of it, was copied. */
  usePasskey(accountId: string, passkeyId: string, counter: number): Promise<boolean>;
  removePasskey(accountId: string, passkeyId: string, session?: ClientSession): Promise<boolean>;
  /** Replaces those that there were. */
  setRecoveryCodes(accountId: string, codes: HashedCodes, session?: ClientSession): Promise<void>;
  findRecoverySalt(accountId: string): Promise<Uint8Array | undefined>;
  /** Of two uses at once, one gets it. */
  useRecoveryCode(accountId: string, hash: string): Promise<boolean>;
  removeAll(accountId: string, session?: ClientSession): Promise<void>;
};

const mostPasskeys = 20;

const nothing: SecondFactors = { authenticator: null, passkeys: [], recoveryCodesLeft: 0 };

const toPasskey = ({ publicKey, ...rest }: StoredPasskey): Passkey => ({
  ...rest,
  publicKey: Uint8Array.from(publicKey.buffer),
});

export function createSecondFactorStore(
  connection: Connection,
  now: () => Date = () => new Date(),
): SecondFactorStore {
  const factors = connection
    .getClient()
    .db(connection.name)
    .collection<SecondFactorDocument>("secondFactors");

  const forgetWhenNothingIsLeft = (accountId: string, options: Options) =>
    factors.deleteOne({ _id: accountId, authenticator: null, passkeys: { $size: 0 } }, options);

  return {
    async find(accountId, session) {
      const document = await factors.findOne({ _id: accountId }, optionsOf(session));
      if (!document) return nothing;
      return {
        authenticator: document.authenticator,
        passkeys: document.passkeys.map(toPasskey),
        recoveryCodesLeft: document.recoveryCodes?.hashes.length ?? 0,
      };
    },

    async findByPasskey(passkeyId) {
      const document = await factors.findOne({ "passkeys.id": passkeyId });
      const passkey = document?.passkeys.find(({ id }) => id === passkeyId);
      return document && passkey
        ? { accountId: document._id, passkey: toPasskey(passkey) }
        : undefined;
    },

    async addAuthenticator(accountId, sealedSecret, step, session) {
      await makeDocument(factors, accountId);
      const { modifiedCount } = await factors.updateOne(
        { _id: accountId, authenticator: null },
        { $set: { authenticator: { sealedSecret, lastStep: step, addedAt: now() } } },
        optionsOf(session),
      );
      return modifiedCount === 1;
    },

    async useStep(accountId, step, sealedAgain) {
      const { modifiedCount } = await factors.updateOne(
        {
          _id: accountId,
          "authenticator.lastStep": { $lt: step },
          ...(sealedAgain && { "authenticator.sealedSecret": sealedAgain.from }),
        },
        {
          $set: {
            "authenticator.lastStep": step,
            ...(sealedAgain && { "authenticator.sealedSecret": sealedAgain.to }),
          },
        },
      );
      return modifiedCount === 1;
    },

    async removeAuthenticator(accountId, session) {
      const options = optionsOf(session);
      const { modifiedCount } = await factors.updateOne(
        { _id: accountId, authenticator: { $ne: null } },
        { $set: { authenticator: null } },
        options,
      );
      await forgetWhenNothingIsLeft(accountId, options);
      return modifiedCount === 1;
    },

    async addPasskey(accountId, passkey, session) {
      await makeDocument(factors, accountId);
      const { modifiedCount } = await factors.updateOne(
        {
          _id: accountId,
          [`passkeys.${mostPasskeys - 1}`]: { $exists: false },
          "passkeys.id": { $ne: passkey.id },
        },
        { $push: { passkeys: { ...passkey, publicKey: toBinary(passkey.publicKey) } } },
        optionsOf(session),
      );
      return modifiedCount === 1;
    },

    async usePasskey(accountId, passkeyId, counter) {
      // WebAuthn Level 2 section 7.2, step 21: an authenticator that does not count says 0 each time.
      const grown = counter === 0 ? { counter: 0 } : { counter: { $lt: counter } };
      const { matchedCount } = await factors.updateOne(
        { _id: accountId, passkeys: { $elemMatch: { id: passkeyId, ...grown } } },
        { $set: { "passkeys.$.counter": counter, "passkeys.$.usedAt": now() } },
      );
      return matchedCount === 1;
    },

    async removePasskey(accountId, passkeyId, session) {
      const options = optionsOf(session);
      const { modifiedCount } = await factors.updateOne(
        { _id: accountId },
        { $pull: { passkeys: { id: passkeyId } } },
        options,
      );
      await forgetWhenNothingIsLeft(accountId, options);
      return modifiedCount === 1;
    },

    async setRecoveryCodes(accountId, { salt, hashes }, session) {
      const recoveryCodes = { salt: toBinary(salt), hashes };
      await factors.updateOne({ _id: accountId }, { $set: { recoveryCodes } }, optionsOf(session));
    },

    async findRecoverySalt(accountId) {
      const document = await factors.findOne(
        { _id: accountId },
        { projection: { recoveryCodes: 1 } },
      );
      return document?.recoveryCodes?.salt.buffer;
    },

    async useRecoveryCode(accountId, hash) {
      const { modifiedCount } = await factors.updateOne(
        { _id: accountId, "recoveryCodes.hashes": hash },
        { $pull: { "recoveryCodes.hashes": hash } },
      );
      return modifiedCount === 1;
    },

    async removeAll(accountId, session) {
      await factors.deleteOne({ _id: accountId }, optionsOf(session));
    },
  };
}

type Options = { session?: ClientSession };

const optionsOf = (session: ClientSession | undefined): Options => (session ? { session } : {});

const toBinary = (bytes: Uint8Array): mongo.Binary => new mongoose.mongo.Binary(bytes);

/** Of two at once the unique index lets one insert; the other finds it made. Empty, it says nothing. */
async function makeDocument(
  factors: mongo.Collection<SecondFactorDocument>,
  accountId: string,
): Promise<void> {
  const empty = { authenticator: null, passkeys: [], recoveryCodes: null };
  await factors
    .updateOne({ _id: accountId }, { $setOnInsert: empty }, { upsert: true })
    .catch((error) => {
      if (!isDuplicateKey(error)) throw error;
    });
}

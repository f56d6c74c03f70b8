/** The only file that knows how verification links are kept. */
import mongoose, { type ClientSession, type Connection, Schema } from "mongoose";
import type { Verification } from "./verification.ts";

type VerificationDocument = Omit<Verification, "tokenHash"> & { _id: string };

export type VerificationStore = {
  add(verification: Verification): Promise<void>;
  find(tokenHash: string): Promise<Verification | undefined>;
  /** Marks it used when it is neither used nor expired; of two at once, one gets it. */
  use(tokenHash: string, now: Date, session: ClientSession): Promise<Verification | undefined>;
};

const verificationSchema = new Schema<VerificationDocument>(
  {
    _id: { type: String, required: true },
    accountId: { type: String, required: true },
    email: { type: String, required: true },
    expiresAt: { type: Date, required: true },
    usedAt: { type: Date, default: null },
  },
  { collection: "verifications", versionKey: false },
);

const toVerification = ({ _id, ...rest }: VerificationDocument): Verification => ({
  tokenHash: _id,
  ...rest,
});

export function createVerificationStore(connection: Connection): VerificationStore {
  const verifications = connection.model("Verification", verificationSchema);

  return {
    async add({ tokenHash, ...rest }) {
      await verifications.create({ _id: tokenHash, ...rest });
    },

    async find(tokenHash) {
      const document = await verifications.findById(tokenHash).lean<VerificationDocument>();
      return document ? toVerification(document) : undefined;
    },

    async use(tokenHash, now, session) {
      const document = await verifications
        .findOneAndUpdate(
          { _id: tokenHash, usedAt: null, expiresAt: mongoose.trusted({ $gt: now }) },
          { usedAt: now },
          { session },
        )
        .lean<VerificationDocument>();
      return document ? toVerification(document) : undefined;
    },
  };
}

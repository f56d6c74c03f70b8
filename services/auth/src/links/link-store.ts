/** The only file that knows how links are kept: for each purpose an account has one, the newest. */
import { isDuplicateKey } from "@portico/service-kit";
import mongoose, { type ClientSession, type Connection, Schema } from "mongoose";
import type { Link, LinkPurpose } from "./link.ts";

type LinkDocument = Link & { _id: string };

export type LinkStore = {
  /** Puts it in the place of an older one. False when a newer one was asked for, or this one was used. */
  put(link: Link): Promise<boolean>;
  find(purpose: LinkPurpose, tokenHash: string): Promise<Link | undefined>;
  listOf(accountId: string): Promise<Link[]>;
  removeAllOf(accountId: string, session: ClientSession): Promise<void>;
  /** Marks it used when it is neither used nor expired; of two at once, one gets it. */
  use(
    purpose: LinkPurpose,
    tokenHash: string,
    now: Date,
    session: ClientSession,
  ): Promise<Link | undefined>;
};

const linkSchema = new Schema<LinkDocument>(
  {
    _id: { type: String, required: true },
    purpose: { type: String, required: true },
    accountId: { type: String, required: true },
    tokenHash: { type: String, required: true },
    email: { type: String, required: true },
    requestId: { type: String, required: true },
    requestedAt: { type: Date, required: true },
    expiresAt: { type: Date, required: true },
    usedAt: { type: Date, default: null },
  },
  { collection: "links", versionKey: false },
);

const toLink = ({ _id, ...link }: LinkDocument): Link => link;

export function createLinkStore(connection: Connection): LinkStore {
  const links = connection.model("Link", linkSchema);

  return {
    async put(link) {
      const olderOrItself = [
        { requestedAt: mongoose.trusted({ $lt: link.requestedAt }) },
        { requestId: link.requestId, usedAt: null },
      ];
      try {
        await links.updateOne(
          { _id: `${link.purpose} ${link.accountId}`, ...mongoose.trusted({ $or: olderOrItself }) },
          { $set: link },
          { upsert: true },
        );
        return true;
      } catch (error) {
        // It was not matched, and it is there: so it is newer, or used.
        if (isDuplicateKey(error)) return false;
        throw error;
      }
    },

    async find(purpose, tokenHash) {
      const document = await links.findOne({ purpose, tokenHash }).lean<LinkDocument>();
      return document ? toLink(document) : undefined;
    },

    async listOf(accountId) {
      return (await links.find({ accountId }).lean<LinkDocument[]>()).map(toLink);
    },

    async removeAllOf(accountId, session) {
      await links.deleteMany({ accountId }, { session });
    },

    async use(purpose, tokenHash, now, session) {
      const document = await links
        .findOneAndUpdate(
          { purpose, tokenHash, usedAt: null, expiresAt: mongoose.trusted({ $gt: now }) },
          { usedAt: now },
          { session },
        )
        .lean<LinkDocument>();
      return document ? toLink(document) : undefined;
    },
  };
}

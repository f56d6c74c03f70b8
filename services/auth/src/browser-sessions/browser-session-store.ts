/** The only file that knows how browser sessions are kept: nothing in it opens anything for its reader. */
import type { ClientSession, Connection } from "mongoose";
import { z } from "zod";
import type { KeyRing } from "../key-ring/key-ring.ts";
import { type BrowserSession, hashSessionId, type Tokens } from "./browser-session.ts";

type BrowserSessionDocument = {
  /** Hash of the id that the cookie has. */
  _id: string;
  accountId: string;
  grantId: string;
  sealedTokens: string;
  startedAt: Date;
  expiresAt: Date;
  /** Until when an instance is taken to be getting new tokens. */
  renewingUntil?: Date;
};

export type BrowserSessionStore = {
  create(id: string, session: BrowserSession, now: Date): Promise<void>;
  find(id: string, now: Date): Promise<BrowserSession | undefined>;
  /** Of several that would renew at once, one may, and has to `renew` or `giveBack`. */
  claim(id: string, now: Date): Promise<boolean>;
  renew(id: string, tokens: Tokens): Promise<void>;
  giveBack(id: string): Promise<void>;
  remove(id: string): Promise<void>;
  removeAllOf(accountId: string, session: ClientSession): Promise<void>;
};

/** Longer than a renewal takes, or its instance has died. */
const renewalMs = 10_000;

const SealedTokens = z.object({
  accessToken: z.string(),
  accessTokenExpiresAt: z.coerce.date(),
  refreshToken: z.string(),
});

export const browserSessionCollection = "browserSessions";

export function createBrowserSessionStore(
  connection: Connection,
  keyRing: Pick<KeyRing, "seal" | "open">,
): BrowserSessionStore {
  const sessions = connection
    .getClient()
    .db(connection.name)
    .collection<BrowserSessionDocument>(browserSessionCollection);

  const contextOf = (hash: string): string => `browser session ${hash}`;
  const seal = (tokens: Tokens, hash: string) =>
    keyRing.seal(JSON.stringify(tokens), contextOf(hash));
  const open = (sealed: string, hash: string): Tokens =>
    SealedTokens.parse(JSON.parse(keyRing.open(sealed, contextOf(hash)).plaintext));

  return {
    async create(id, { accountId, grantId, tokens, expiresAt }, now) {
      const _id = hashSessionId(id);
      const sealedTokens = seal(tokens, _id);
      await sessions.insertOne({
        _id,
        accountId,
        grantId,
        sealedTokens,
        startedAt: now,
        expiresAt,
      });
    },

    async find(id, now) {
      const _id = hashSessionId(id);
      const found = await sessions.findOne({ _id, expiresAt: { $gt: now } });
      if (!found) return undefined;
      const { accountId, grantId, sealedTokens, expiresAt } = found;
      return { accountId, grantId, tokens: open(sealedTokens, _id), expiresAt };
    },

    async claim(id, now) {
      const { modifiedCount } = await sessions.updateOne(
        {
          _id: hashSessionId(id),
          $or: [{ renewingUntil: { $exists: false } }, { renewingUntil: { $lte: now } }],
        },
        { $set: { renewingUntil: new Date(now.getTime() + renewalMs) } },
      );
      return modifiedCount === 1;
    },

    async renew(id, tokens) {
      const _id = hashSessionId(id);
      await sessions.updateOne(
        { _id },
        { $set: { sealedTokens: seal(tokens, _id) }, $unset: { renewingUntil: "" } },
      );
    },

    async giveBack(id) {
      await sessions.updateOne({ _id: hashSessionId(id) }, { $unset: { renewingUntil: "" } });
    },

    async remove(id) {
      await sessions.deleteOne({ _id: hashSessionId(id) });
    },

    async removeAllOf(accountId, session) {
      await sessions.deleteMany({ accountId }, { session });
    },
  };
}

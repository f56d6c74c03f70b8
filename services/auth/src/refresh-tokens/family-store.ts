/** The only file that knows how families are kept. Nothing in it is of use to whoever reads it. */
import { createHash } from "node:crypto";
import DataLoader from "dataloader";
import type { Connection } from "mongoose";
import type { AdapterPayload } from "oidc-provider";
import { readDocuments } from "../reads/read-together.ts";

type FamilyDocument = {
  /** Of the family's name, which the tokens carry. */
  _id: string;
  grantId: string;
  accountId: string;
  clientId: string;
  /** Of the newest token that was given out. */
  generation: number;
  payload: AdapterPayload;
  expiresAt: Date;
};

/** What the protocol library keeps of the newest token, and when that ends. */
export type Kept = { payload: AdapterPayload; expiresAt: Date };

/** When a family got its newest token, and when that ends. */
export type LastUse = { grantId: string; usedAt: Date; expiresAt: Date };

export type FamilyUses = { lastUses(accountId: string): Promise<LastUse[]> };

export type FamilyStore = {
  begin(family: string, kept: Kept): Promise<void>;
  find(family: string): Promise<{ generation: number; payload: AdapterPayload } | undefined>;
  /**
   * To this generation, unless the family is there already: of uses at once one writes, and the others
   * find it done. False when the family has ended.
   */
  advance(family: string, generation: number, kept: Kept): Promise<boolean>;
  end(family: string): Promise<void>;
  endOfGrant(grantId: string): Promise<void>;
};

export const familyCollection = "refreshTokenFamilies";

type Advance = Kept & { _id: string; generation: number };

const mostTogether = 200;

const toWrite = ({ _id, generation, payload, expiresAt }: Advance) => ({
  updateOne: {
    filter: { _id, generation: { $lt: generation } },
    update: { $set: { generation, payload, expiresAt } },
  },
});

const keyOf = (family: string): string => createHash("sha256").update(family).digest("base64url");

export function createFamilyStore(connection: Connection): FamilyStore & FamilyUses {
  const families = connection
    .getClient()
    .db(connection.name)
    .collection<FamilyDocument>(familyCollection);
  const read = readDocuments(families);

  /** Those of one moment go in one command: each of them waits for the journal, and so they wait together. */
  const advances = new DataLoader<Advance, boolean>(
    async (batch) => {
      const { matchedCount } = await families.bulkWrite(batch.map(toWrite), { ordered: false });
      if (matchedCount === batch.length) return batch.map(() => true);
      // Another use was faster, or the family has ended.
      return Promise.all(batch.map(async ({ _id }) => (await read(_id)) !== undefined));
    },
    { cache: false, maxBatchSize: mostTogether, batchScheduleFn: (send) => setImmediate(send) },
  );

  return {
    async begin(family, { payload, expiresAt }) {
      await families.insertOne({
        _id: keyOf(family),
        grantId: String(payload.grantId),
        accountId: String(payload.accountId),
        clientId: String(payload.clientId),
        generation: 0,
        payload,
        expiresAt,
      });
    },

    async find(family) {
      const found = await read(keyOf(family));
      return found ? { generation: found.generation, payload: found.payload } : undefined;
    },

    advance: (family, generation, kept) =>
      advances.load({ _id: keyOf(family), generation, ...kept }),

    async lastUses(accountId) {
      const found = await families.find({ accountId }).toArray();
      return found.map(({ grantId, payload, expiresAt }) => ({
        grantId,
        usedAt: new Date((payload.iat ?? 0) * 1000),
        expiresAt,
      }));
    },

    async end(family) {
      await families.deleteOne({ _id: keyOf(family) });
    },

    async endOfGrant(grantId) {
      await families.deleteMany({ grantId });
    },
  };
}

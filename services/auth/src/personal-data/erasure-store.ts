/** The only file that knows how erasures are kept. */
import type { ClientSession, Connection } from "mongoose";
import {
  type Answer,
  asksAgainAfterMs,
  asksAtLastAfterMs,
  type Erasure,
  forEachHolder,
  type Holder,
  holders,
} from "./erasure.ts";

type ErasureDocument = Omit<Erasure, "answers"> & {
  /** Hash of the receipt's id. */
  _id: string;
  answers: Partial<Record<Holder, Partial<Answer>>>;
  /** Until all have answered: then nobody can tell whose erasure it was. */
  accountId?: string;
  /** When the services are asked next; not there once all have answered. */
  askAt?: Date;
};

export type ErasureStore = {
  begin(
    receiptHash: string,
    accountId: string,
    now: Date,
    session: ClientSession,
  ): Promise<Erasure>;
  find(receiptHash: string): Promise<Erasure | undefined>;
  /** @param confirmed whether it was the answer to being asked at last */
  answer(
    accountId: string,
    holder: Holder,
    confirmed: boolean,
    now: Date,
    session: ClientSession,
  ): Promise<void>;
  /** Accounts whose erasure somebody has yet to confirm, when it is time to ask. */
  due(now: Date): Promise<string[]>;
  /** False when another instance of this service asks already. */
  postpone(accountId: string, now: Date, session: ClientSession): Promise<boolean>;
};

const mostAtOnce = 100;

const unanswered: Answer = { erasedAt: null, confirmedAt: null };

const toErasure = ({ requestedAt, answers, completedAt }: ErasureDocument): Erasure => ({
  requestedAt,
  answers: forEachHolder((holder) => ({ ...unanswered, ...answers[holder] })),
  completedAt,
});

const later = (now: Date, ms: number): Date => new Date(now.getTime() + ms);

export function createErasureStore(connection: Connection): ErasureStore {
  const erasures = connection
    .getClient()
    .db(connection.name)
    .collection<ErasureDocument>("erasures");

  return {
    async begin(receiptHash, accountId, now, session) {
      const document: ErasureDocument = {
        _id: receiptHash,
        accountId,
        requestedAt: now,
        answers: {},
        completedAt: null,
        askAt: later(now, asksAtLastAfterMs),
      };
      await erasures.insertOne(document, { session });
      return toErasure(document);
    },

    async find(receiptHash) {
      const document = await erasures.findOne({ _id: receiptHash });
      return document ? toErasure(document) : undefined;
    },

    async answer(accountId, holder, confirmed, now, session) {
      const given = {
        [`answers.${holder}.erasedAt`]: now,
        ...(confirmed && { [`answers.${holder}.confirmedAt`]: now }),
      };
      const document = await erasures.findOneAndUpdate(
        { accountId },
        // The first time counts: each is asked, and answers, more often.
        { $min: given },
        { session, returnDocument: "after" },
      );
      if (!document || !holders.every((one) => document.answers[one]?.confirmedAt)) return;
      await erasures.updateOne(
        { accountId },
        { $set: { completedAt: now }, $unset: { accountId: "", askAt: "" } },
        { session },
      );
    },

    async due(now) {
      const found = await erasures
        .find({ askAt: { $lte: now } })
        .limit(mostAtOnce)
        .toArray();
      return found.flatMap(({ accountId }) => accountId ?? []);
    },

    async postpone(accountId, now, session) {
      const { modifiedCount } = await erasures.updateOne(
        { accountId, askAt: { $lte: now } },
        { $set: { askAt: later(now, asksAgainAfterMs) } },
        { session },
      );
      return modifiedCount === 1;
    },
  };
}

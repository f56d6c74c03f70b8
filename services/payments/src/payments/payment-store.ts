/** The only file that knows how payments are kept. */
import { isDuplicateKey } from "@portico/service-kit";
import type { Connection } from "mongoose";
import { Schema, trusted } from "mongoose";
import type { Month } from "./month.ts";
import type { Payment } from "./payment.ts";

type PaymentDocument = {
  _id: string;
  userId: string;
  timestamp: Date;
  description: string;
  currency: string;
  amount: number;
  /** When it reached us: tells a late payment from one in time, which `timestamp` cannot. */
  submittedAt: Date;
};

/** Where a page ends: newest first, the id where two were paid in the same millisecond. */
export type PaymentPosition = { timestamp: Date; id: string };

export type PaymentQuestion = {
  userId: string;
  month?: Month;
  currency?: string;
  limit: number;
  position?: PaymentPosition;
};

export type PaymentStore = {
  /** Keeps a payment unless its id is taken: what is kept under that id, and whether it is new. */
  keep(payment: Payment, submittedAt: Date): Promise<{ kept: Payment; isNew: boolean }>;
  find(userId: string, id: string): Promise<Payment | undefined>;
  /** One payer's payments, newest first. */
  list(question: PaymentQuestion): Promise<Payment[]>;
  removeAllOf(userId: string): Promise<void>;
};

const paymentSchema = new Schema<PaymentDocument>(
  {
    _id: { type: String, required: true },
    userId: { type: String, required: true },
    timestamp: { type: Date, required: true },
    description: { type: String, required: true },
    currency: { type: String, required: true },
    amount: { type: Number, required: true },
    submittedAt: { type: Date, required: true },
  },
  { collection: "payments", versionKey: false },
);

const toPayment = (document: PaymentDocument): Payment => ({
  id: document._id,
  userId: document.userId,
  timestamp: document.timestamp.toISOString(),
  description: document.description,
  currency: document.currency,
  amount: document.amount,
});

const toDocument = ({ id, ...payment }: Payment, submittedAt: Date): PaymentDocument => ({
  ...payment,
  _id: id,
  timestamp: new Date(payment.timestamp),
  submittedAt,
});

/** The index's order, so that a page starts where the one before ended, however far down that is. */
const after = ({ timestamp, id }: PaymentPosition) =>
  trusted({
    $or: [{ timestamp: trusted({ $lt: timestamp }) }, { timestamp, _id: trusted({ $lt: id }) }],
  });

/** What a list asks of MongoDB; list-payments.test.ts explains it. */
export const filterOf = ({ userId, month, currency, position }: PaymentQuestion) => ({
  userId,
  ...(currency && { currency }),
  ...((month || position) && {
    timestamp: trusted({
      ...(month && { $gte: month.start, $lt: month.end }),
      ...(position && { $lte: position.timestamp }),
    }),
  }),
  ...(position && after(position)),
});

export const newestFirst = { timestamp: -1, _id: -1 } as const;

export function createPaymentStore(connection: Connection): PaymentStore {
  const payments = connection.model("Payment", paymentSchema);

  /** Linearizable: a payment that a majority does not have yet could still be rolled back. */
  const findKept = async (id: string): Promise<Payment> => {
    const document = await payments
      .findById(id)
      .readConcern("linearizable")
      .maxTimeMS(5_000)
      .orFail()
      .lean<PaymentDocument>();
    return toPayment(document);
  };

  return {
    async keep(payment, submittedAt) {
      try {
        await payments.create(toDocument(payment, submittedAt));
        return { kept: payment, isNew: true };
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        return { kept: await findKept(payment.id), isNew: false };
      }
    },

    async find(userId, id) {
      const document = await payments.findOne({ _id: id, userId }).lean<PaymentDocument>();
      return document ? toPayment(document) : undefined;
    },

    async list(question) {
      const found = await payments
        .find(filterOf(question))
        .sort(newestFirst)
        .limit(question.limit)
        .lean<PaymentDocument[]>();
      return found.map(toPayment);
    },

    async removeAllOf(userId) {
      await payments.deleteMany({ userId });
    },
  };
}

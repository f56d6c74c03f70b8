/**
 * A recurring payment as its payer reports it: rent, a phone bill. This folder owns what was
 * submitted and keeps it unchanged; what a credit file makes of it is decided elsewhere.
 */
import { z } from "zod";

/** RFC 9562: letter case does not tell two UUIDs apart, so one spelling is kept. */
export const PaymentId = z
  .uuidv4()
  .toLowerCase()
  .meta({ description: "Id of a payment (UUID v4), chosen by whoever submits it" });

export const Currency = z
  .enum(Intl.supportedValuesOf("currency"), { error: "Not an ISO 4217 currency code." })
  .meta({ id: "Currency", description: "ISO 4217 currency code" });

/** Far above any bill, and far below where sums of a lifetime stop being exact. */
const largestAmount = 999_999_999_999;

export const Amount = z
  .int()
  .min(1)
  .max(largestAmount)
  .meta({ description: "Amount in the currency's minor units: 1250 is 12.50 EUR, or 1250 JPY" });

const earliest = Date.parse("1970-01-01T00:00:00Z");
const latest = Date.parse("2100-01-01T00:00:00Z");

const isPlausible = (timestamp: string): boolean => {
  const time = Date.parse(timestamp);
  return time >= earliest && time < latest;
};

/** RFC 3339 wants seconds where ISO 8601 does not. Normalised to UTC and milliseconds. */
const Timestamp = z.iso
  .datetime({ offset: true })
  .regex(/T\d\d:\d\d:\d\d/, { error: "Seconds are missing." })
  .refine(isPlausible, { error: "Not between 1970 and 2100." })
  .transform((timestamp) => new Date(timestamp).toISOString());

const Description = z.string().trim().min(1).max(200);

/** What a caller submits. */
export const Submission = z
  .strictObject({
    id: PaymentId,
    userId: z.uuid().toLowerCase().meta({ description: "The payer: the caller's own account" }),
    timestamp: Timestamp.meta({ description: "When it was paid (RFC 3339)" }),
    description: Description,
    currency: Currency,
    amount: Amount,
  })
  .meta({ id: "PaymentSubmission" });

export const Payment = z
  .object({
    id: z.uuid(),
    userId: z.uuid(),
    timestamp: z.iso.datetime().meta({ description: "When it was paid, in UTC" }),
    description: z.string(),
    currency: Currency,
    amount: Amount,
  })
  .meta({ id: "Payment" });

export type Payment = z.output<typeof Payment>;

/** Whether two payments say the same, whoever says it: a repeated submission, not another one. */
export const isSamePayment = (a: Payment, b: Payment): boolean =>
  a.id === b.id &&
  a.userId === b.userId &&
  a.timestamp === b.timestamp &&
  a.description === b.description &&
  a.currency === b.currency &&
  a.amount === b.amount;

/** Where a list of payments goes on. */
import { decodeCursor } from "@portico/service-kit";
import { z } from "zod";
import type { Payment } from "./payment.ts";
import type { PaymentPosition } from "./payment-store.ts";

const Cursor = z.tuple([z.iso.datetime(), z.uuid()]);

export const keyOf = (payment: Payment) => [payment.timestamp, payment.id];

export const positionOf = (cursor: string): PaymentPosition => {
  const [timestamp, id] = decodeCursor(cursor, Cursor);
  return { timestamp: new Date(timestamp), id };
};

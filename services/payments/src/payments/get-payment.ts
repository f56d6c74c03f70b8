import { endpoint, notFound, permits } from "@portico/service-kit";
import { z } from "zod";
import { Payment, PaymentId } from "./payment.ts";
import type { PaymentStore } from "./payment-store.ts";

/** Reads one of the caller's payments; anybody else's looks like a missing one. */
export const getPayment = (payments: PaymentStore) =>
  endpoint({
    method: "get",
    path: "/payments/:paymentId",
    summary: "Read a payment",
    guard: permits("payments:read"),
    params: z.object({ paymentId: PaymentId }),
    reply: { status: 200, body: Payment },
    problems: [notFound],

    async handle({ caller, params }) {
      const payment = await payments.find(caller.subject, params.paymentId);
      if (!payment) throw notFound("There is no such payment.");
      return payment;
    },
  });

import { answer, endpoint, forbidden, permits, problemType } from "@portico/service-kit";
import { isSamePayment, Payment, Submission } from "./payment.ts";
import type { PaymentStore } from "./payment-store.ts";

export const paymentDiffers = problemType(
  409,
  "payment-differs",
  "This id was submitted before, with other content. Nothing was changed.",
);

/**
 * Keeps a payment, once: the same content again answers the same payment, so a client that did not
 * hear the answer may ask again.
 */
export const submitPayment = (payments: PaymentStore, now: () => Date = () => new Date()) =>
  endpoint({
    method: "post",
    path: "/payments",
    summary: "Submit a payment",
    guard: permits("payments:write"),
    body: Submission,
    reply: {
      status: 201,
      body: Payment,
      headers: { Location: "Path of the payment" },
      otherwise: { 200: "Submitted before with the same content: nothing was changed" },
    },
    problems: [forbidden, paymentDiffers],

    async handle({ caller, body }) {
      if (body.userId !== caller.subject) {
        throw forbidden("Payments can only be submitted for the caller's own account.");
      }

      const { kept, isNew } = await payments.keep(body, now());
      // Somebody else's payment under this id answers the same: nothing about it can be learnt.
      if (!isSamePayment(kept, body)) throw paymentDiffers();

      return answer(kept, {
        status: isNew ? 201 : 200,
        headers: { Location: `/payments/${kept.id}` },
      });
    },
  });

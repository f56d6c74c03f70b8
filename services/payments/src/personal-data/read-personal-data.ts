import { answerPage, endpoint, PageQuery, pageOf, permits, toPage } from "@portico/service-kit";
import { Payment } from "../payments/payment.ts";
import { keyOf, positionOf } from "../payments/payment-cursor.ts";
import type { PaymentStore } from "../payments/payment-store.ts";

/** What payments holds of the caller. For auth alone, which collects a person's export: no client gets the scope. */
export const readPersonalData = (payments: PaymentStore) =>
  endpoint({
    method: "get",
    path: "/payments/personal-data",
    summary: "Read everything that is held of the caller",
    guard: permits("personal-data:read"),
    query: PageQuery,
    reply: { status: 200, body: pageOf(Payment), headers: { Link: 'The next page, `rel="next"`' } },

    async handle({ caller, query: { limit, after }, url }) {
      const position = after ? positionOf(after) : undefined;
      const found = await payments.list({ userId: caller.subject, limit: limit + 1, position });
      return answerPage(toPage(found, limit, keyOf), url);
    },
  });

import { answerPage, endpoint, PageQuery, pageOf, permits, toPage } from "@portico/service-kit";
import { Month, toMonth } from "./month.ts";
import { Currency, Payment } from "./payment.ts";
import { keyOf, positionOf } from "./payment-cursor.ts";
import type { PaymentStore } from "./payment-store.ts";

/** Lists the caller's own payments, newest first; stable while payments are added. */
export const listPayments = (payments: PaymentStore) =>
  endpoint({
    method: "get",
    path: "/payments",
    summary: "List the caller's payments, newest first",
    guard: permits("payments:read"),
    query: PageQuery.extend({ month: Month.optional(), currency: Currency.optional() }),
    reply: { status: 200, body: pageOf(Payment), headers: { Link: 'The next page, `rel="next"`' } },

    async handle({ caller, query, url }) {
      const found = await payments.list({
        userId: caller.subject,
        limit: query.limit + 1,
        month: query.month ? toMonth(query.month) : undefined,
        currency: query.currency,
        position: query.after ? positionOf(query.after) : undefined,
      });
      return answerPage(toPage(found, query.limit, keyOf), url);
    },
  });

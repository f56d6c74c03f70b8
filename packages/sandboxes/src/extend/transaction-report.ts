/** `GET /reports/transactions/v2`: every transaction of the organisation, filtered, sorted, paged. */
import { Router } from "express";
import type { z } from "zod";
import { pageOf, ReportQuery, reportPagination } from "./contract.ts";
import type { Ledger } from "./ledger.ts";
import { callerOf, read } from "./request.ts";

type Query = z.output<typeof ReportQuery>;
type Shown = ReturnType<Ledger["showTransaction"]>;

export function transactionReport(ledger: Ledger): Router {
  const router = Router();

  router.get("/reports/transactions/v2", (request, response) => {
    const query = read(ReportQuery, request.query);
    const selected = ledger
      .transactionsFor(callerOf(response))
      .filter(({ authedAtMs }) => isWithin(authedAtMs, query.since, query.until))
      .map((transaction) => ledger.showTransaction(transaction))
      .filter((shown) => isSelected(shown, query))
      .sort(inOrder(query.sort));
    const page = pageOf(selected, query);

    response.json({
      report: {
        page: page.pagination.page,
        perPage: page.pagination.pageItemCount,
        count: page.items.length,
        transactions: page.items,
      },
      pagination: reportPagination(page),
    });
  });

  return router;
}

const isWithin = (value: number, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY) =>
  value >= from && value <= to;

function isSelected(shown: Shown, query: Query): boolean {
  const text = `${shown.merchantName}\n${shown.vcnDisplayName}\n${shown.recipientName}`;
  return (
    (!query.statuses || query.statuses.includes(shown.status)) &&
    (!query.virtualCardId || query.virtualCardId === shown.virtualCardId) &&
    isWithin(shown.clearingBillingAmountCents, query.minCents, query.maxCents) &&
    (!query.receiptMissing || !shown.hasAttachments) &&
    (!query.search || text.toLowerCase().includes(query.search.toLowerCase()))
  );
}

const keys: Record<string, (shown: Shown) => string | number> = {
  recipientName: (shown) => shown.recipientName,
  merchantName: (shown) => shown.merchantName,
  amount: (shown) => shown.clearingBillingAmountCents,
  date: (shown) => shown.authedAt,
};

function inOrder(sort: string) {
  const direction = sort.startsWith("-") ? -1 : 1;
  const keyOf = keys[sort.replace("-", "")] ?? ((shown: Shown) => shown.authedAt);
  return (one: Shown, other: Shown): number =>
    direction * (compare(keyOf(one), keyOf(other)) || compare(one.id, other.id));
}

const compare = (one: string | number, other: string | number): number =>
  one < other ? -1 : Number(one > other);

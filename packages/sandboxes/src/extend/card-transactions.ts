/** `GET /virtualcards/{id}/transactions`: what was paid with one card, newest first. */
import { Router } from "express";
import { CardTransactionsQuery, refusals, type Transaction } from "./contract.ts";
import type { Ledger } from "./ledger.ts";
import { callerOf, found, read } from "./request.ts";

export function cardTransactions(ledger: Ledger): Router {
  const router = Router();

  router.get("/virtualcards/:id/transactions", (request, response) => {
    const { status, count, before, after } = read(CardTransactionsQuery, request.query);
    const card = found(ledger.findCard(callerOf(response), request.params.id));
    const all = ledger.transactionsOf(card);

    const selected = all
      .slice(startOlderThan(before, all), endNewerThan(after, all))
      .filter((transaction) => !status || status.includes(transaction.status))
      .slice(0, count);
    response.json({ transactions: selected.map((one) => ledger.showTransaction(one)) });
  });

  return router;
}

/** A transaction's id or a time: where the list, newest first, is cut. */
type Mark = string | number | undefined;

function startOlderThan(mark: Mark, all: Transaction[]): number {
  if (mark === undefined) return 0;
  if (typeof mark === "string") return positionOf(mark, all) + 1;
  return firstWhere(all, ({ authedAtMs }) => authedAtMs < mark);
}

function endNewerThan(mark: Mark, all: Transaction[]): number {
  if (mark === undefined) return all.length;
  if (typeof mark === "string") return positionOf(mark, all);
  return firstWhere(all, ({ authedAtMs }) => authedAtMs <= mark);
}

function positionOf(id: string, all: Transaction[]): number {
  const position = all.findIndex((transaction) => transaction.id === id);
  if (position < 0) throw refusals.notFound();
  return position;
}

function firstWhere(all: Transaction[], isIt: (transaction: Transaction) => boolean): number {
  const position = all.findIndex(isIt);
  return position < 0 ? all.length : position;
}

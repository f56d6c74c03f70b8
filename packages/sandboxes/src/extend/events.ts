/** `/events`: what happened, newest first, for whoever missed a webhook. */
import { Router } from "express";
import { EventQuery, firstPage, formatTime, pageOf } from "./contract.ts";
import type { Ledger, LedgerEvent } from "./ledger.ts";
import { callerOf, found, read } from "./request.ts";

export function events(ledger: Ledger): Router {
  const router = Router();

  const show = ({ id, type, timestampMs, transaction }: LedgerEvent) => ({
    id,
    type,
    timestamp: formatTime(timestampMs),
    data: ledger.showTransaction(transaction),
  });

  router.get("/events", (request, response) => {
    const query = read(EventQuery, request.query);
    const all = ledger.eventsFor(callerOf(response));
    const { items, pagination } = pageOf(all, query, firstPage.events);
    response.json({ events: items.map(show), pagination });
  });

  router.get("/events/:id", (request, response) => {
    const all = ledger.eventsFor(callerOf(response));
    const event = found(all.find((candidate) => candidate.id === request.params.id));
    response.json({ event: show(event) });
  });

  return router;
}

/** `/virtualcards`: list, read, create, update, cancel, close. */
import { Router } from "express";
import type { z } from "zod";
import {
  balanceOf,
  CreateVirtualCardBody,
  defaultValidityMs,
  isOpen,
  pageOf,
  refusals,
  statusAt,
  UpdateVirtualCardBody,
  type VirtualCard,
  VirtualCardQuery,
} from "./contract.ts";
import type { Ledger } from "./ledger.ts";
import { callerOf, found, read } from "./request.ts";

type Query = z.output<typeof VirtualCardQuery>;

export function virtualCards(ledger: Ledger, now: () => number): Router {
  const router = Router();
  const show = (card: VirtualCard) => ({ virtualCard: ledger.showCard(card) });

  router.get("/virtualcards", (request, response) => {
    const query = read(VirtualCardQuery, request.query);
    const selected = ledger
      .cardsFor(callerOf(response))
      .filter((card) => isSelected(card, query, now()))
      .sort(inOrder(query, now()));
    const { items, pagination } = pageOf(selected, query);
    response.json({ virtualCards: items.map((card) => ledger.showCard(card)), pagination });
  });

  router.get("/virtualcards/:id", (request, response) => {
    response.json(show(found(ledger.findCard(callerOf(response), request.params.id))));
  });

  router.post("/virtualcards", (request, response) => {
    const body = read(CreateVirtualCardBody, request.body);
    const creditCard = found(ledger.findCreditCard(body.creditCardId));
    const ownEmail = (callerOf(response).user ?? ledger.administrator()).email;
    const validFromMs = body.validFrom ?? now();
    const validToMs = body.validTo ?? validFromMs + defaultValidityMs;
    requireOrder(validFromMs, validToMs);
    if (!ledger.hasRoomForCard()) throw refusals.wrongState("Too many virtual cards");

    const card: VirtualCard = {
      id: ledger.newId("vc"),
      status: validFromMs > now() ? "PENDING" : "ACTIVE",
      recipientId: ledger.inviteUser(body.recipient ?? ownEmail).id,
      cardholderId: ledger.inviteUser(body.cardholder ?? ownEmail).id,
      creditCardId: creditCard.id,
      displayName: body.displayName,
      limitCents: body.balanceCents,
      spentCents: 0,
      last4: ledger.newDigits(4),
      validFromMs,
      validToMs,
      createdAtMs: now(),
      updatedAtMs: now(),
      notes: body.notes,
      recurs: body.recurs,
      recurrence: body.recurrence,
      validMccRanges: body.validMccRanges,
    };
    ledger.addCard(card);
    response.json(show(card));
  });

  router.put("/virtualcards/:id", (request, response) => {
    const { balanceCents, validFrom, validTo, ...plain } = read(
      UpdateVirtualCardBody,
      request.body,
    );
    const card = found(ledger.findCard(callerOf(response), request.params.id));
    requireOpen(card, now());
    const validFromMs = validFrom ?? card.validFromMs;
    const validToMs = validTo ?? card.validToMs;
    requireOrder(validFromMs, validToMs);

    const limitCents =
      balanceCents === undefined ? card.limitCents : card.spentCents + balanceCents;
    response.json(show(ledger.changeCard(card, { ...plain, limitCents, validFromMs, validToMs })));
  });

  router.put("/virtualcards/:id/cancel", (request, response) => {
    const card = found(ledger.findCard(callerOf(response), request.params.id));
    if (card.status === "CANCELLED") return void response.json(show(card));
    requireOpen(card, now());
    response.json(show(ledger.changeCard(card, { status: "CANCELLED" })));
  });

  router.put("/virtualcards/:id/close", (request, response) => {
    const card = found(ledger.findCard(callerOf(response), request.params.id));
    if (card.status === "CLOSED") return void response.json(show(card));
    response.json(show(ledger.changeCard(card, { status: "CLOSED" })));
  });

  return router;
}

function requireOpen(card: VirtualCard, nowMs: number): void {
  const status = statusAt(card, nowMs);
  if (!isOpen(status)) throw refusals.wrongState(`Virtual card is ${status.toLowerCase()}`);
}

function requireOrder(validFromMs: number, validToMs: number): void {
  if (validToMs > validFromMs) return;
  throw refusals.invalid([{ field: "validTo", error: "must be after validFrom" }]);
}

function isSelected(card: VirtualCard, query: Query, nowMs: number): boolean {
  const text = `${card.displayName}\n${card.notes}\n${card.last4}`.toLowerCase();
  return (
    (!query.statuses || query.statuses.includes(statusAt(card, nowMs))) &&
    (!query.recipient || query.recipient === card.recipientId) &&
    (!query.cardholder || query.cardholder === card.cardholderId) &&
    (!query.creditCardId || query.creditCardId === card.creditCardId) &&
    (!query.search || text.includes(query.search.toLowerCase()))
  );
}

function inOrder({ sortField, sortDirection }: Query, nowMs: number) {
  const keys: Record<Query["sortField"], (card: VirtualCard) => string | number> = {
    createdAt: (card) => card.createdAtMs,
    updatedAt: (card) => card.updatedAtMs,
    balanceCents: balanceOf,
    displayName: (card) => card.displayName,
    type: (card) => (card.recurs ? "RECURRING" : "STANDARD"),
    status: (card) => statusAt(card, nowMs),
  };
  const keyOf = keys[sortField];
  const direction = sortDirection === "ASC" ? 1 : -1;

  // The id settles ties, so that pages neither repeat nor skip a card.
  return (one: VirtualCard, other: VirtualCard): number =>
    direction * (compare(keyOf(one), keyOf(other)) || compare(one.id, other.id));
}

const compare = (one: string | number, other: string | number): number =>
  one < other ? -1 : Number(one > other);

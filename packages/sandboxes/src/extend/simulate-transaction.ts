/** `POST /transactions/simulate`: a merchant charges a card, as Extend's own sandbox lets one pretend. */
import { Router } from "express";
import type { z } from "zod";
import {
  balanceOf,
  refusals,
  SimulateBody,
  simulatedStatus,
  statusAt,
  type Transaction,
  type VirtualCard,
} from "./contract.ts";
import type { Ledger } from "./ledger.ts";
import { callerOf, found, read } from "./request.ts";

type Simulation = z.output<typeof SimulateBody>;

export function simulateTransaction(ledger: Ledger, now: () => number): Router {
  const router = Router();

  router.post("/transactions/simulate", (request, response) => {
    const simulation = read(SimulateBody, request.body);
    const caller = callerOf(response);
    const transaction =
      simulation.transactionId === undefined
        ? charge(found(ledger.findCard(caller, simulation.virtualCardId ?? "")), simulation)
        : moveOn(found(ledger.findTransaction(caller, simulation.transactionId)), simulation);
    response.json(ledger.showTransaction(transaction));
  });

  function charge(card: VirtualCard, simulation: Simulation): Transaction {
    const { amountCents, merchantName, mcc } = simulation;
    if (amountCents === undefined) {
      throw refusals.invalid([{ field: "amountCents", error: "is required" }]);
    }
    const status = isCovered(card, amountCents) ? simulatedStatus[simulation.type] : "DECLINED";
    const isCleared = status === "CLEARED";

    return ledger.addTransaction({
      id: ledger.newId("txn"),
      virtualCardId: card.id,
      type: "DEBIT",
      status,
      merchant: { name: merchantName, mcc, mccGroup: "RETAIL", mccDescription: "SIMULATED" },
      authCents: amountCents,
      clearingCents: isCleared ? amountCents : 0,
      approvalCode: ledger.newDigits(6),
      authedAtMs: now(),
      clearedAtMs: isCleared ? now() : undefined,
      updatedAtMs: now(),
      attachments: 0,
    });
  }

  /** A pending transaction settles, in full or for another amount, or is reversed or declined. */
  function moveOn(transaction: Transaction, { type, amountCents }: Simulation): Transaction {
    if (transaction.status !== "PENDING" || type === "AUTHORIZED") {
      throw refusals.wrongState(`Transaction is ${transaction.status.toLowerCase()}`);
    }
    const status = simulatedStatus[type];
    if (status !== "CLEARED") return ledger.changeTransaction(transaction, { status });
    return ledger.changeTransaction(transaction, {
      status,
      clearingCents: amountCents ?? transaction.authCents,
      clearedAtMs: now(),
    });
  }

  /** A real network declines what a card cannot pay, whatever the merchant wished. */
  const isCovered = (card: VirtualCard, amountCents: number): boolean =>
    statusAt(card, now()) === "ACTIVE" && balanceOf(card) >= amountCents;

  return router;
}

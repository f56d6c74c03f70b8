/** `GET /transactions/{id}`: one transaction, bare. */
import { Router } from "express";
import type { Ledger } from "./ledger.ts";
import { callerOf, found } from "./request.ts";

export function transactions(ledger: Ledger): Router {
  const router = Router();

  router.get("/transactions/:id", (request, response) => {
    const transaction = found(ledger.findTransaction(callerOf(response), request.params.id));
    response.json(ledger.showTransaction(transaction));
  });

  return router;
}

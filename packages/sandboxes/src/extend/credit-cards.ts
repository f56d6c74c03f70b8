/** `/creditcards`: the cards that virtual cards draw on. */
import { Router } from "express";
import { CreditCardQuery, pageOf } from "./contract.ts";
import type { Ledger } from "./ledger.ts";
import { found, read } from "./request.ts";

export function creditCards(ledger: Ledger): Router {
  const router = Router();

  router.get("/creditcards", (request, response) => {
    const query = read(CreditCardQuery, request.query);
    const { statuses, search = "", sortDirection } = query;
    const selected = ledger
      .creditCards()
      .filter((card) => !statuses || statuses.includes(card.status))
      .filter((card) => card.displayName.toLowerCase().includes(search.toLowerCase()))
      .toSorted((one, other) => one.displayName.localeCompare(other.displayName));
    if (sortDirection === "DESC") selected.reverse();
    const { items, pagination } = pageOf(selected, query);
    response.json({ creditCards: items, pagination });
  });

  router.get("/creditcards/:id", (request, response) => {
    response.json({ creditCard: found(ledger.findCreditCard(request.params.id)) });
  });

  return router;
}

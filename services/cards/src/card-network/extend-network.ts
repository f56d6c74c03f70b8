/** Extend as this service's card network. */
import type { CardNetwork } from "./card-network.ts";
import type { ExtendClient } from "./extend-client.ts";
import { firstPage, VirtualCardAnswer, VirtualCardsAnswer } from "./extend-contract.ts";

export const createExtendNetwork = (extend: ExtendClient): CardNetwork => ({
  async list({ status, page, limit }) {
    const { virtualCards, pagination } = await extend.read({
      operation: "list-cards",
      path: "/virtualcards",
      query: {
        page: page - 1 + firstPage,
        count: limit,
        ...(status && { statuses: status }),
        sortField: "createdAt",
        sortDirection: "ASC",
      },
      answer: VirtualCardsAnswer,
    });
    return { cards: virtualCards, hasNext: page < pagination.numberOfPages };
  },

  async find(id) {
    const { virtualCard } = await extend.read({
      operation: "find-card",
      path: `/virtualcards/${encodeURIComponent(id)}`,
      answer: VirtualCardAnswer,
    });
    return virtualCard;
  },
});

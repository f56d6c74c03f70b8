import { answerPage, endpoint, PageQuery, pageOf, permits } from "@portico/service-kit";
import { type CardNetwork, networkProblems } from "../card-network/card-network.ts";
import { Card, type CardStatus } from "./card.ts";
import { cursorOf, pageAt } from "./card-cursor.ts";

/** Lists all cards, or those of one status, in the order in which they were made. */
const listBy = (
  network: CardNetwork,
  { path, summary, status }: { path: string; summary: string; status?: CardStatus },
) =>
  endpoint({
    method: "get",
    path,
    summary,
    guard: permits("cards:read", { verified: true }),
    query: PageQuery,
    reply: { status: 200, body: pageOf(Card), headers: { Link: 'The next page, `rel="next"`' } },
    problems: networkProblems,

    async handle({ query: { limit, after }, url }) {
      const page = pageAt(after, limit);
      const { cards, hasNext } = await network.list({ status, page, limit });
      return answerPage(
        { items: cards, nextCursor: hasNext ? cursorOf(page + 1, limit) : null },
        url,
      );
    },
  });

export const listCards = (network: CardNetwork) =>
  listBy(network, { path: "/cards", summary: "List cards" });

export const listActiveCards = (network: CardNetwork) =>
  listBy(network, { path: "/cards/active", summary: "List active cards", status: "ACTIVE" });

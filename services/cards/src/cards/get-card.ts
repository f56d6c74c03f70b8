import { endpoint, permits } from "@portico/service-kit";
import { z } from "zod";
import { type CardNetwork, findProblems } from "../card-network/card-network.ts";
import { Card, CardId } from "./card.ts";

/** Reads one card. */
export const getCard = (network: CardNetwork) =>
  endpoint({
    method: "get",
    path: "/cards/:cardId",
    summary: "Read a card",
    guard: permits("cards:read", { verified: true }),
    params: z.object({ cardId: CardId }),
    reply: { status: 200, body: Card },
    problems: findProblems,

    handle: ({ params }) => network.find(params.cardId),
  });

/** What this service needs from a card network, in its own words. */
import {
  notFound,
  type ProblemType,
  unavailable,
  upstreamTimeout,
  upstreamUnavailable,
} from "@portico/service-kit";
import type { Card, CardStatus } from "../cards/card.ts";

export type CardQuestion = {
  status?: CardStatus;
  /** 1 is the first. */
  page: number;
  limit: number;
};

export type CardPage = { cards: Card[]; hasNext: boolean };

export type CardNetwork = {
  /** In the order in which they were made, so that a new card moves no other one to another page. */
  list(question: CardQuestion): Promise<CardPage>;
  /** @throws notFound */
  find(id: string): Promise<Card>;
};

/** How a list can fail. */
export const networkProblems: readonly ProblemType[] = [
  upstreamUnavailable,
  unavailable,
  upstreamTimeout,
];

/** How reading one card can fail. */
export const findProblems: readonly ProblemType[] = [notFound, ...networkProblems];

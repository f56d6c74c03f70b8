/** cards: virtual cards, read from a card network. The list of endpoints is the table of contents. */
import { type AppOptions, createApp } from "@portico/service-kit";
import { answerErasure, type Outbox, onAccountErased } from "@portico/service-kit/events";
import type { CardNetwork } from "./card-network/card-network.ts";
import { getCard } from "./cards/get-card.ts";
import { listActiveCards, listCards } from "./cards/list-cards.ts";
import { readPersonalData } from "./personal-data/read-personal-data.ts";

export type CardsDependencies = Pick<AppOptions, "verifyAccessToken" | "logger" | "metrics"> & {
  network: CardNetwork;
};

export const endpoints = ({ network }: Pick<CardsDependencies, "network">) => [
  listCards(network),
  listActiveCards(network),
  readPersonalData(),
  getCard(network),
];

/** Of auth's events. Cards are the organisation's: nothing is kept here about an account, so nothing has to go. */
export const eventHandlers = (outbox: Outbox) => ({
  [onAccountErased]: answerErasure(async () => undefined, outbox),
});

export const about = {
  name: "cards",
  title: "Portico cards",
  description: "Virtual cards of the organisation.",
};

export const createCards = (dependencies: CardsDependencies) =>
  createApp({ ...about, ...dependencies, endpoints: endpoints(dependencies) });

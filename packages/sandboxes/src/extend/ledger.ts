/**
 * The organisation's books: the only file that knows how users, cards, transactions and events are
 * kept. All in memory, all bounded, and back to the seed on reset.
 */
import {
  type Caller,
  type CreditCard,
  canSee,
  type EventType,
  eventTypeOf,
  showTransaction,
  showVirtualCard,
  spentBy,
  type Transaction,
  type User,
  type VirtualCard,
} from "./contract.ts";
import { createDice, type Dice, makeUser, type Organization, seedOrganization } from "./seed.ts";

export type LedgerEvent = {
  id: string;
  type: EventType;
  timestampMs: number;
  transaction: Transaction;
};

const maxCards = 5000;
const maxTransactions = 20_000;
const maxEvents = 2000;
/** How many of the seed's transactions have an event. */
const seededEvents = 40;

export class Ledger {
  readonly #now: () => number;
  #dice: Dice;
  #organization: Organization;
  /** Newest first, as every list of them is read. */
  #events: LedgerEvent[];

  constructor(now: () => number) {
    this.#now = now;
    this.#dice = createDice();
    this.#organization = seedOrganization(this.#dice, now());
    this.#events = this.#seedEvents();
  }

  reset(): void {
    this.#dice = createDice();
    this.#organization = seedOrganization(this.#dice, this.#now());
    this.#events = this.#seedEvents();
  }

  newId(prefix: "vc" | "txn"): string {
    return this.#dice.id(prefix);
  }

  newDigits(length: number): string {
    return this.#dice.digits(length);
  }

  userByEmail(email: string): User | undefined {
    return this.#organization.users.find((user) => user.email === email.toLowerCase());
  }

  /** The user with that address, invited when there is none. */
  inviteUser(email: string): User {
    const known = this.userByEmail(email);
    if (known) return known;
    const user = makeUser(this.#dice, email.toLowerCase(), "MEMBER");
    this.#organization.users.push(user);
    return user;
  }

  /** Who stands for the organisation when its API key asks. */
  administrator(): User {
    return must(this.#organization.users.find((user) => user.organizationRole === "ADMIN"));
  }

  creditCards(): readonly CreditCard[] {
    return this.#organization.creditCards;
  }

  findCreditCard(id: string): CreditCard | undefined {
    return this.#organization.creditCards.find((card) => card.id === id);
  }

  cardsFor(caller: Caller): VirtualCard[] {
    return this.#organization.cards.filter((card) => canSee(caller, card));
  }

  /** Someone else's card looks like a missing one. */
  findCard(caller: Caller, id: string): VirtualCard | undefined {
    const card = this.#organization.cards.find((candidate) => candidate.id === id);
    return card && canSee(caller, card) ? card : undefined;
  }

  hasRoomForCard(): boolean {
    return this.#organization.cards.length < maxCards;
  }

  addCard(card: VirtualCard): void {
    this.#organization.cards.push(card);
  }

  changeCard(card: VirtualCard, changes: Partial<VirtualCard>): VirtualCard {
    return Object.assign(card, changes, { updatedAtMs: this.#now() });
  }

  /** Newest first. */
  transactionsFor(caller: Caller): Transaction[] {
    const visible = new Set(this.cardsFor(caller).map((card) => card.id));
    return this.#organization.transactions.filter(({ virtualCardId }) =>
      visible.has(virtualCardId),
    );
  }

  /** Newest first. */
  transactionsOf(card: VirtualCard): Transaction[] {
    return this.#organization.transactions.filter(({ virtualCardId }) => virtualCardId === card.id);
  }

  findTransaction(caller: Caller, id: string): Transaction | undefined {
    return this.transactionsFor(caller).find((transaction) => transaction.id === id);
  }

  addTransaction(transaction: Transaction): Transaction {
    this.#organization.transactions.unshift(transaction);
    this.#organization.transactions.splice(maxTransactions);
    this.#book(transaction, spentBy(transaction));
    return transaction;
  }

  changeTransaction(transaction: Transaction, changes: Partial<Transaction>): Transaction {
    const before = spentBy(transaction);
    Object.assign(transaction, changes, { updatedAtMs: this.#now() });
    this.#book(transaction, spentBy(transaction) - before);
    return transaction;
  }

  /** Newest first. */
  eventsFor(caller: Caller): LedgerEvent[] {
    const visible = new Set(this.cardsFor(caller).map((card) => card.id));
    return this.#events.filter(({ transaction }) => visible.has(transaction.virtualCardId));
  }

  showCard(card: VirtualCard) {
    return showVirtualCard(card, this.#ownersOf(card), this.#now());
  }

  showTransaction(transaction: Transaction) {
    const card = this.#cardOf(transaction);
    return showTransaction(transaction, card, this.#ownersOf(card));
  }

  #book(transaction: Transaction, spentCents: number): void {
    this.#cardOf(transaction).spentCents += spentCents;
    const event = this.#eventOf(transaction, this.#now());
    if (!event) return;
    this.#events.unshift(event);
    this.#events.splice(maxEvents);
  }

  #seedEvents(): LedgerEvent[] {
    return this.#organization.transactions
      .slice(0, seededEvents)
      .flatMap((transaction) => this.#eventOf(transaction, transaction.updatedAtMs) ?? [])
      .sort((one, other) => other.timestampMs - one.timestampMs);
  }

  /** A copy of the transaction: an event tells what was, not what is. */
  #eventOf(transaction: Transaction, timestampMs: number): LedgerEvent | undefined {
    const type = eventTypeOf[transaction.status];
    return type && { id: this.#dice.id("evt"), type, timestampMs, transaction: { ...transaction } };
  }

  #cardOf({ virtualCardId }: Transaction): VirtualCard {
    return must(this.#organization.cards.find((card) => card.id === virtualCardId));
  }

  #ownersOf(card: VirtualCard) {
    const user = (id: string) => must(this.#organization.users.find((one) => one.id === id));
    return {
      recipient: user(card.recipientId),
      cardholder: user(card.cardholderId),
      creditCard: must(this.findCreditCard(card.creditCardId)),
    };
  }
}

function must<Thing>(thing: Thing | undefined): Thing {
  if (thing === undefined) throw new Error("The books do not add up.");
  return thing;
}

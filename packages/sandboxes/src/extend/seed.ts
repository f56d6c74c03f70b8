/**
 * The organisation that a fresh sandbox holds: the same people, cards and transactions every time,
 * dated back from the moment it starts, so that an active card is active today.
 */
import type {
  CreditCard,
  Merchant,
  Transaction,
  TransactionStatus,
  TransactionType,
  User,
  VirtualCard,
  VirtualCardStatus,
} from "./contract.ts";
import { spentBy } from "./contract.ts";

export type Organization = {
  users: User[];
  creditCards: CreditCard[];
  cards: VirtualCard[];
  transactions: Transaction[];
};

/** Numbers and ids that look random and are the same in every run. */
export type Dice = {
  /** At least `from`, less than `to`. */
  between(from: number, to: number): number;
  pick<Item>(items: readonly [Item, ...Item[]]): Item;
  digits(length: number): string;
  /** `vc_` and 22 letters and digits, as Extend writes ids. */
  id(prefix: string): string;
};

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

export function createDice(seed = 1): Dice {
  let state = seed;
  // mulberry32: small, and good enough for names and amounts.
  const roll = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (from: number, to: number) => from + Math.floor(roll() * (to - from));
  const characters = (from: string, length: number) =>
    Array.from({ length }, () => from[between(0, from.length)]).join("");

  return {
    between,
    pick: (items) => items[between(0, items.length)] ?? items[0],
    digits: (length) => characters(alphabet.slice(0, 10), length),
    id: (prefix) => `${prefix}_${characters(alphabet, 22)}`,
  };
}

const day = 24 * 60 * 60_000;

const people: [string, string, User["organizationRole"]][] = [
  ["Morgan", "Reyes", "ADMIN"],
  ["Kim", "Okafor", "MEMBER"],
  ["Noa", "Lindqvist", "MEMBER"],
  ["Sam", "Duarte", "MEMBER"],
];

/** Who signs in when nobody says otherwise: the first of the people. */
export const defaultEmail = "morgan.reyes@example.com";

const merchants: [Merchant, ...Merchant[]] = [
  ["AMAZON.COM*1Z42F0W91", "5942", "RETAIL", "BOOK STORES"],
  ["REI.COM 800-426-4840 WA", "5941", "RETAIL", "SPORTING GOODS STORES"],
  ["UNITED AIRLINES", "3000", "AIRLINES", "UNITED AIRLINES"],
  ["HOTEL PALMAS LISBOA", "7011", "LODGING", "HOTELS, MOTELS, RESORTS"],
  ["BLUE BOTTLE COFFEE", "5814", "RESTAURANTS", "FAST FOOD RESTAURANTS"],
  ["TRATTORIA DA ENZO", "5812", "RESTAURANTS", "EATING PLACES, RESTAURANTS"],
  ["GITHUB INC", "5734", "RETAIL", "COMPUTER SOFTWARE STORES"],
  ["NORTHSIDE OFFICE SUPPLY", "5111", "BUSINESS", "STATIONERY, OFFICE SUPPLIES"],
].map(([name = "", mcc = "", mccGroup = "", mccDescription = ""]) => ({
  name,
  mcc,
  mccGroup,
  mccDescription,
})) as [Merchant, ...Merchant[]];

const purposes: [string, ...string[]] = [
  "Marketing campaign",
  "Conference travel",
  "Team subscriptions",
  "Office supplies",
  "Client dinner",
  "Contractor budget",
];

/** Thirty cards, every state among them. */
const states: VirtualCardStatus[] = [
  ...Array<VirtualCardStatus>(18).fill("ACTIVE"),
  ...Array<VirtualCardStatus>(3).fill("PENDING"),
  ...Array<VirtualCardStatus>(3).fill("CANCELLED"),
  ...Array<VirtualCardStatus>(2).fill("EXPIRED"),
  ...Array<VirtualCardStatus>(2).fill("CLOSED"),
  ...Array<VirtualCardStatus>(2).fill("CONSUMED"),
];

const transactionCount = 200;

export function seedOrganization(dice: Dice, nowMs: number): Organization {
  const users = people.map(([firstName, lastName, role]) =>
    makeUser(dice, `${firstName}.${lastName}@example.com`.toLowerCase(), role, firstName, lastName),
  );
  const creditCards = [makeCreditCard(dice, "Travel and events"), makeCreditCard(dice, "Software")];
  const cards = states.map((status, index) =>
    makeCard(dice, status, index, { users, creditCards, nowMs }),
  );
  const used = cards.filter((card) => card.status !== "PENDING");
  const transactions = Array.from({ length: transactionCount }, (_, index) =>
    makeTransaction(dice, used[index % used.length] as VirtualCard, nowMs),
  ).sort((one, other) => other.authedAtMs - one.authedAtMs);

  for (const card of cards) settle(card, transactions, dice);
  return { users, creditCards, cards, transactions };
}

export const makeUser = (
  dice: Dice,
  email: string,
  organizationRole: User["organizationRole"],
  firstName = "Invited",
  lastName = "Guest",
): User => ({
  id: dice.id("u"),
  firstName,
  lastName,
  email,
  organizationId: "org_5hQwZ3mVn0PbXrT2yKc8Lf",
  organizationRole,
  verified: true,
  currency: "USD",
  locale: "en-US",
  timezone: "America/New_York",
});

const makeCreditCard = (dice: Dice, displayName: string): CreditCard => ({
  id: dice.id("cc"),
  displayName,
  status: "ACTIVE",
  companyName: "Northwind Traders",
  network: "AMEX",
  last4: dice.digits(4),
  currency: "USD",
});

function makeCard(
  dice: Dice,
  status: VirtualCardStatus,
  index: number,
  { users, creditCards, nowMs }: { users: User[]; creditCards: CreditCard[]; nowMs: number },
): VirtualCard {
  const createdAtMs = nowMs - dice.between(60, 180) * day - dice.between(0, day);
  const lastsMs = dice.between(90, 400) * day;
  const recipient = users[index % users.length] as User;

  return {
    id: dice.id("vc"),
    status,
    recipientId: recipient.id,
    cardholderId: (users[index % 2] as User).id,
    creditCardId: (creditCards[index % creditCards.length] as CreditCard).id,
    displayName: `${dice.pick(purposes)} ${recipient.firstName} ${index + 1}`,
    limitCents: dice.between(5, 500) * 1000,
    spentCents: 0,
    last4: dice.digits(4),
    validFromMs: status === "PENDING" ? nowMs + 7 * day : createdAtMs,
    validToMs: status === "EXPIRED" ? nowMs - 10 * day : nowMs + lastsMs,
    createdAtMs,
    updatedAtMs: createdAtMs + dice.between(0, 50) * day,
    notes: index % 3 === 0 ? "Receipts within 30 days, please." : "",
    recurs: false,
    recurrence: undefined,
    validMccRanges: undefined,
  };
}

/** The usual mix: most purchases clear, some wait, a few fail. */
const outcomes: [TransactionStatus, ...TransactionStatus[]] = [
  "CLEARED",
  ...Array<TransactionStatus>(11).fill("CLEARED"),
  ...Array<TransactionStatus>(4).fill("PENDING"),
  ...Array<TransactionStatus>(2).fill("DECLINED"),
  "AUTH_REVERSAL",
  "NO_MATCH",
  "AVS_PASS",
  "AVS_FAIL",
];

function makeTransaction(dice: Dice, card: VirtualCard, nowMs: number): Transaction {
  const status = dice.pick(outcomes);
  const isAddressCheck = status.startsWith("AVS");
  const authCents = isAddressCheck ? 0 : dice.between(150, 25_000);
  const isRefund = status === "CLEARED" && dice.between(0, 15) === 0;
  const type: TransactionType = isAddressCheck ? "AVS" : isRefund ? "CREDIT" : "DEBIT";
  const isCleared = status === "CLEARED";
  const authedAtMs = nowMs - dice.between(0, 55) * day - dice.between(1, day);
  const clearedAtMs = isCleared
    ? Math.min(nowMs, authedAtMs + dice.between(1, 3) * day)
    : undefined;

  return {
    id: dice.id("txn"),
    virtualCardId: card.id,
    type,
    status,
    merchant: dice.pick(merchants),
    authCents,
    clearingCents: isCleared ? authCents : 0,
    approvalCode: dice.digits(6),
    authedAtMs,
    clearedAtMs,
    updatedAtMs: clearedAtMs ?? authedAtMs,
    attachments: isCleared && dice.between(0, 3) > 0 ? 1 : 0,
  };
}

/** What was spent follows from the transactions; a consumed card has nothing left. */
function settle(card: VirtualCard, transactions: Transaction[], dice: Dice): void {
  const spent = transactions
    .filter((transaction) => transaction.virtualCardId === card.id)
    .reduce((sum, transaction) => sum + spentBy(transaction), 0);
  card.spentCents = Math.max(0, spent);
  const left = card.status === "CONSUMED" ? 0 : dice.between(20, 900) * 100;
  card.limitCents = card.spentCents + left;
}

/**
 * Every assumption about Extend's API, in one place: what it accepts, what it answers, how it counts.
 * The rest of this folder behaves by these rules and states none of its own. Marks: SEEN in Extend's
 * official client, its tests, or public clients in production; ASSUMED where nobody could tell us,
 * and then the choice is the one that is harder on a client.
 */
import { z } from "zod";

// --- Version (SEEN) -------------------------------------------------------------------------------

export const mediaType = "application/vnd.paywithextend.v2021-03-12+json";

/** The `Accept` header has to name the version; parameters and other types beside it do no harm. */
export const acceptsVersion = (accept = ""): boolean =>
  accept.split(",").some((range) => range.split(";")[0]?.trim().toLowerCase() === mediaType);

// --- Refusals -------------------------------------------------------------------------------------

/** Answered as `{ error, details? }`: the string is SEEN, the wording ASSUMED except for 406. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: { error: string; details?: { field: string; error: string }[] };
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    body: { error: string; details?: { field: string; error: string }[] },
    headers: Record<string, string> = {},
  ) {
    super(body.error);
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

export const refusals = {
  malformed: () => new Refusal(400, { error: "Malformed JSON" }),
  unauthorized: () => new Refusal(401, { error: "Unauthorized" }),
  badCredentials: () => new Refusal(401, { error: "Invalid email or password" }),
  notFound: () => new Refusal(404, { error: "Not found" }),
  unknownVersion: () => new Refusal(406, { error: "Invalid API version" }),
  tooLarge: () => new Refusal(413, { error: "Request too large" }),
  invalid: (details: { field: string; error: string }[]) =>
    new Refusal(422, { error: "Invalid request", details }),
  wrongState: (what: string) => new Refusal(422, { error: what }),
  broken: (status = 500) => new Refusal(status, { error: "Internal server error" }),
};

/** How Extend throttles: SEEN as 422 without advice, and as 429; `Retry-After` ASSUMED. */
export const throttled = (status: 422 | 429, retryAfterSeconds: number): Refusal =>
  new Refusal(
    status,
    { error: "Too many requests" },
    status === 429 ? { "Retry-After": String(retryAfterSeconds) } : {},
  );

/** Carried by every answer, for support (ASSUMED). */
export const requestIdHeader = "x-request-id";

// --- Signing in -----------------------------------------------------------------------------------

/** The key stands in its own header as well as in Basic (SEEN). */
export const apiKeyHeader = "x-extend-api-key";

/** Public clients count on 10 minutes (SEEN). */
export const accessTokenLifeMs = 10 * 60_000;
/** ASSUMED. */
export const refreshTokenLifeMs = 30 * 24 * 60 * 60_000;

export const SignInBody = z.object({ email: z.string().max(320), password: z.string().max(1000) });

/** Both spellings are SEEN, in requests and in answers; so both are taken and both are given. */
export const RenewBody = z
  .object({ refreshToken: z.string().optional(), refresh_token: z.string().optional() })
  .transform((body) => body.refreshToken ?? body.refresh_token ?? "");

export const tokenAnswer = (token: string, refreshToken: string, user: User) => ({
  token,
  refreshToken,
  refresh_token: refreshToken,
  user,
});

// --- Times and paging -----------------------------------------------------------------------------

/** `2023-02-18T00:59:00.000+0000`, whatever zone was sent (SEEN). */
export const formatTime = (epochMs: number): string =>
  new Date(epochMs).toISOString().replace("Z", "+0000");

/** Times that a card can have; beyond them arithmetic on dates ends. */
const earliestMs = Date.UTC(2000, 0);
const latestMs = Date.UTC(2200, 0);

/** Accepts what clients send, `…Z`, `…+0000` and `…+00:00`; epoch milliseconds inside. */
export const Time = z
  .string()
  .max(40)
  .transform((text, context) => {
    const epochMs = Date.parse(text.replace(/([+-]\d\d)(\d\d)$/, "$1:$2"));
    if (epochMs >= earliestMs && epochMs < latestMs) return epochMs;
    context.addIssue({ code: "custom", message: "must be a time" });
    return z.NEVER;
  });

/** A value, several after commas, or the parameter repeated (all SEEN). */
const oneOrMore = <Value extends string>(item: z.ZodType<Value, string>) =>
  z
    .union([z.string(), z.array(z.string())])
    .transform((given) => [given].flat().flatMap((part) => part.split(",")))
    .pipe(z.array(item));

const Count = z.coerce.number().int().min(1).max(500);
const PageNumber = z.coerce.number().int().min(0).max(1_000_000);

/** Which number the first page has: 1 by the official client; SEEN as 0 for `/events`. */
export const firstPage = { lists: 1, events: 0 };

/** Pages hold 25 unless `count` says otherwise (ASSUMED); page 0 of a list is its first (SEEN). */
const defaultCount = 25;

export type Pagination = {
  page: number;
  pageItemCount: number;
  totalItems: number;
  numberOfPages: number;
};

export type Page<Item> = { items: Item[]; pagination: Pagination };

export function pageOf<Item>(
  all: readonly Item[],
  asked: { page?: number | undefined; count?: number | undefined },
  first = firstPage.lists,
): Page<Item> {
  const count = asked.count ?? defaultCount;
  const page = Math.max(first, asked.page ?? first);
  const start = (page - first) * count;

  return {
    items: all.slice(start, start + count),
    pagination: {
      page,
      pageItemCount: count,
      totalItems: all.length,
      numberOfPages: Math.ceil(all.length / count),
    },
  };
}

/** The report does not count to the end: one more than the page, when there is another (SEEN). */
export function reportPagination<Item>({ items, pagination }: Page<Item>): Pagination {
  const { page, pageItemCount, numberOfPages } = pagination;
  const hasNext = page < numberOfPages;
  return {
    page,
    pageItemCount,
    totalItems: hasNext ? pageItemCount + 1 : items.length,
    numberOfPages: hasNext ? page + 1 : page,
  };
}

// --- Callers, users and credit cards -----------------------------------------------------------------------

export type User = {
  id: string;
  firstName: string;
  lastName: string;
  email: string;
  organizationId: string;
  organizationRole: "ADMIN" | "MEMBER";
  verified: boolean;
  currency: "USD";
  locale: "en-US";
  timezone: string;
};

export const CreditCardStatus = z.enum([
  "ACTIVE",
  "PENDING",
  "INACTIVE",
  "EXPIRED",
  "BLOCKED",
  "CLOSED",
]);

/** Who asks: the organisation by its API key, or a person who signed in. */
export type Caller = { user: User | undefined };

export type CreditCard = {
  id: string;
  displayName: string;
  status: z.infer<typeof CreditCardStatus>;
  companyName: string;
  network: string;
  last4: string;
  currency: "USD";
};

export const CreditCardQuery = z.object({
  page: PageNumber.optional(),
  count: Count.optional(),
  statuses: oneOrMore(CreditCardStatus).optional(),
  search: z.string().max(200).optional(),
  sortDirection: z.enum(["ASC", "DESC"]).default("ASC"),
});

// --- Virtual cards --------------------------------------------------------------------------------

export const VirtualCardStatus = z.enum([
  "ACTIVE",
  "CANCELLED",
  "EXPIRED",
  "PENDING",
  "CLOSED",
  "CONSUMED",
]);
export type VirtualCardStatus = z.infer<typeof VirtualCardStatus>;

/** A virtual card as the sandbox keeps it: times are epoch milliseconds until they are shown. */
export type VirtualCard = {
  id: string;
  status: VirtualCardStatus;
  recipientId: string;
  cardholderId: string;
  creditCardId: string;
  displayName: string;
  limitCents: number;
  spentCents: number;
  last4: string;
  validFromMs: number;
  validToMs: number;
  createdAtMs: number;
  updatedAtMs: number;
  notes: string;
  recurs: boolean;
  recurrence: Recurrence | undefined;
  validMccRanges: MccRange[] | undefined;
};

/** Past `validTo` a usable card shows as expired, without anyone touching it (ASSUMED). */
export const statusAt = (card: VirtualCard, nowMs: number): VirtualCardStatus =>
  isOpen(card.status) && card.validToMs <= nowMs ? "EXPIRED" : card.status;

/** The organisation's key and its administrators see every card, a member what was made by or for them (ASSUMED). */
export const canSee = (caller: Caller, card: VirtualCard): boolean =>
  caller.user === undefined ||
  caller.user.organizationRole === "ADMIN" ||
  caller.user.id === card.recipientId ||
  caller.user.id === card.cardholderId;

export const balanceOf = (card: VirtualCard): number => card.limitCents - card.spentCents;

/** Only these can be changed, cancelled or paid with (ASSUMED; cancelled then closed is SEEN). */
export const isOpen = (status: VirtualCardStatus): boolean =>
  status === "ACTIVE" || status === "PENDING";

/** The number itself and its security code are on another host of Extend's, never here (SEEN). */
export const showVirtualCard = (
  card: VirtualCard,
  owners: { recipient: User; cardholder: User; creditCard: CreditCard },
  nowMs: number,
) => ({
  id: card.id,
  status: statusAt(card, nowMs),
  recipientId: card.recipientId,
  recipient: owners.recipient,
  cardholderId: card.cardholderId,
  cardholder: owners.cardholder,
  displayName: card.displayName,
  expires: formatTime(endOfMonth(card.validToMs)),
  currency: "USD",
  limitCents: card.limitCents,
  balanceCents: balanceOf(card),
  spentCents: card.spentCents,
  lifetimeSpentCents: card.spentCents,
  awaitingBudget: false,
  last4: card.last4,
  numberFormat: "cardnumber16",
  validFrom: formatTime(card.validFromMs),
  validTo: formatTime(card.validToMs),
  activeUntil: formatTime(card.validToMs),
  timezone: "America/New_York",
  creditCardId: card.creditCardId,
  creditCardDisplayName: owners.creditCard.displayName,
  companyName: owners.creditCard.companyName,
  network: owners.creditCard.network,
  recurs: card.recurs,
  recurrence: card.recurrence,
  validMccRanges: card.validMccRanges,
  notes: card.notes,
  hasPlasticCard: false,
  createdAt: formatTime(card.createdAtMs),
  updatedAt: formatTime(card.updatedAtMs),
});

/** A card number expires with a month; SEEN as the first instant of the one after. */
function endOfMonth(epochMs: number): number {
  const day = new Date(epochMs);
  return Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 1);
}

export const VirtualCardQuery = z.object({
  page: PageNumber.optional(),
  count: Count.optional(),
  statuses: oneOrMore(VirtualCardStatus).optional(),
  recipient: z.string().max(100).optional(),
  cardholder: z.string().max(100).optional(),
  creditCardId: z.string().max(100).optional(),
  search: z.string().max(200).optional(),
  sortField: z
    .enum(["createdAt", "updatedAt", "balanceCents", "displayName", "type", "status"])
    .default("createdAt"),
  sortDirection: z.enum(["ASC", "DESC"]).default("DESC"),
});

/** Older clients send `"false"` for false (SEEN). */
const Flag = z.union([z.boolean(), z.enum(["true", "false"]).transform((text) => text === "true")]);

const Cents = z.int().min(1).max(100_000_000);

const MccRange = z.object({
  lowest: z.string().regex(/^\d{4}$/),
  highest: z.string().regex(/^\d{4}$/),
});
export type MccRange = z.infer<typeof MccRange>;

const Recurrence = z.object({
  balanceCents: Cents,
  period: z.enum(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
  interval: z.int().min(1).max(1000),
  terminator: z.enum(["NONE", "COUNT", "DATE", "COUNT_OR_DATE"]),
  count: z.int().min(1).max(10_000).optional(),
  until: Time.transform(formatTime).optional(),
  byWeekDay: z.int().min(0).max(6).optional(),
  byMonthDay: z.int().min(1).max(31).optional(),
  byYearDay: z.int().min(1).max(366).optional(),
});
export type Recurrence = z.infer<typeof Recurrence>;

const DisplayName = z.string().trim().min(1).max(100);
const Notes = z.string().max(500);

/** Unknown fields are ignored (SEEN: clients of all ages send their own). */
export const CreateVirtualCardBody = z
  .object({
    creditCardId: z.string().max(100),
    displayName: DisplayName,
    balanceCents: Cents,
    recipient: z.email().max(320).optional(),
    cardholder: z.email().max(320).optional(),
    validFrom: Time.optional(),
    validTo: Time.optional(),
    notes: Notes.default(""),
    recurs: Flag.default(false),
    recurrence: Recurrence.optional(),
    validMccRanges: z.array(MccRange).max(50).optional(),
  })
  .refine((body) => !body.recurs || body.recurrence, {
    path: ["recurrence"],
    error: "is required for a recurring card",
  });

export const UpdateVirtualCardBody = z.object({
  displayName: DisplayName.optional(),
  balanceCents: Cents.optional(),
  validFrom: Time.optional(),
  validTo: Time.optional(),
  notes: Notes.optional(),
});

/** A card made without `validTo` lives a year (ASSUMED). */
export const defaultValidityMs = 365 * 24 * 60 * 60_000;

// --- Transactions ---------------------------------------------------------------------------------

export const TransactionStatus = z.enum([
  "PENDING",
  "CLEARED",
  "DECLINED",
  "NO_MATCH",
  "AVS_PASS",
  "AVS_FAIL",
  "AUTH_REVERSAL",
]);
export type TransactionStatus = z.infer<typeof TransactionStatus>;

export type TransactionType = "DEBIT" | "CREDIT" | "AVS";

export type Merchant = { name: string; mcc: string; mccGroup: string; mccDescription: string };

/** A transaction as the sandbox keeps it. Amounts in cents of USD. */
export type Transaction = {
  id: string;
  virtualCardId: string;
  type: TransactionType;
  status: TransactionStatus;
  merchant: Merchant;
  authCents: number;
  /** 0 until it clears (SEEN). */
  clearingCents: number;
  approvalCode: string;
  authedAtMs: number;
  clearedAtMs: number | undefined;
  updatedAtMs: number;
  attachments: number;
};

/** What a transaction takes from its card; a credit gives back. */
export function spentBy({ type, status, authCents, clearingCents }: Transaction): number {
  const cents = status === "CLEARED" ? clearingCents : status === "PENDING" ? authCents : 0;
  return type === "CREDIT" ? -cents : type === "DEBIT" ? cents : 0;
}

export const showTransaction = (
  transaction: Transaction,
  card: VirtualCard,
  owners: { recipient: User; cardholder: User; creditCard: CreditCard },
) => ({
  id: transaction.id,
  cardholderId: owners.cardholder.id,
  cardholderName: fullName(owners.cardholder),
  cardholderEmail: owners.cardholder.email,
  recipientId: owners.recipient.id,
  recipientName: fullName(owners.recipient),
  recipientEmail: owners.recipient.email,
  nameOnCard: fullName(owners.recipient),
  source: "VIRTUAL",
  vcnLast4: card.last4,
  vcnDisplayName: card.displayName,
  virtualCardId: card.id,
  type: transaction.type,
  status: transaction.status,
  declineReasons:
    transaction.status === "DECLINED"
      ? [{ code: "DECLINED", description: "Declined by the issuer" }]
      : undefined,
  approvalCode: transaction.approvalCode,
  authBillingAmountCents: transaction.authCents,
  authBillingCurrency: "USD",
  authMerchantAmountCents: transaction.authCents,
  authMerchantCurrency: "USD",
  authExchangeRate: 1,
  clearingBillingAmountCents: transaction.clearingCents,
  clearingBillingCurrency: "USD",
  clearingMerchantAmountCents: transaction.clearingCents,
  clearingMerchantCurrency: "USD",
  clearingExchangeRate: 1,
  mcc: transaction.merchant.mcc,
  mccGroup: transaction.merchant.mccGroup,
  mccDescription: transaction.merchant.mccDescription,
  merchantName: transaction.merchant.name,
  authedAt: formatTime(transaction.authedAtMs),
  clearedAt:
    transaction.clearedAtMs === undefined ? undefined : formatTime(transaction.clearedAtMs),
  updatedAt: formatTime(transaction.updatedAtMs),
  hasAttachments: transaction.attachments > 0,
  attachmentsCount: transaction.attachments,
  referenceId: transaction.approvalCode,
  creditCardId: card.creditCardId,
  creditCardDisplayName: owners.creditCard.displayName,
});

export const fullName = (user: User): string => `${user.firstName} ${user.lastName}`;

/** Newest first; `before` and `after` are a transaction's id or a time (names SEEN, meaning ASSUMED). */
export const CardTransactionsQuery = z.object({
  status: oneOrMore(TransactionStatus).optional(),
  count: Count.default(defaultCount),
  before: z.union([z.string().startsWith("txn_").max(100), Time]).optional(),
  after: z.union([z.string().startsWith("txn_").max(100), Time]).optional(),
});

/** A day as the client sends it, or a time; a day at the end of a range lasts until midnight UTC. */
const Day = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}/)
  .refine((day) => !Number.isNaN(Date.parse(day.slice(0, 10))));

/** The report's parameters under the names of every client version (SEEN in both). */
export const ReportQuery = z
  .object({
    page: PageNumber.optional(),
    count: Count.optional(),
    perPage: Count.optional(),
    fromDate: Day.optional(),
    since: Day.optional(),
    toDate: Day.optional(),
    until: Day.optional(),
    statuses: oneOrMore(TransactionStatus).optional(),
    status: oneOrMore(TransactionStatus).optional(),
    virtualCardId: z.string().max(100).optional(),
    minClearingBillingCents: z.coerce.number().int().optional(),
    maxClearingBillingCents: z.coerce.number().int().optional(),
    receiptMissing: z.stringbool().optional(),
    search: z.string().max(200).optional(),
    sort: z
      .string()
      .regex(/^-?(recipientName|merchantName|amount|date)$/)
      .default("-date"),
  })
  .transform((query) => ({
    page: query.page,
    count: query.perPage ?? query.count,
    since: startOfDay(query.since ?? query.fromDate),
    until: endOfDay(query.until ?? query.toDate),
    statuses: query.status ?? query.statuses,
    virtualCardId: query.virtualCardId,
    minCents: query.minClearingBillingCents,
    maxCents: query.maxClearingBillingCents,
    receiptMissing: query.receiptMissing,
    search: query.search,
    sort: query.sort,
  }));

const startOfDay = (day: string | undefined): number | undefined =>
  day === undefined ? undefined : Date.parse(day.slice(0, 10));

const endOfDay = (day: string | undefined): number | undefined =>
  day === undefined ? undefined : Date.parse(day.slice(0, 10)) + 24 * 60 * 60_000 - 1;

// --- Events and simulation ------------------------------------------------------------------------

/** What webhooks will carry and `/events` re-reads (types SEEN). */
export type EventType =
  | "transaction.authorized"
  | "transaction.declined"
  | "transaction.reversed"
  | "transaction.settled"
  | "transaction.updated.no_match";

export const eventTypeOf: Record<TransactionStatus, EventType | undefined> = {
  PENDING: "transaction.authorized",
  CLEARED: "transaction.settled",
  DECLINED: "transaction.declined",
  AUTH_REVERSAL: "transaction.reversed",
  NO_MATCH: "transaction.updated.no_match",
  AVS_PASS: undefined,
  AVS_FAIL: undefined,
};

export const EventQuery = z.object({ page: PageNumber.optional(), count: Count.optional() });

/**
 * `POST /transactions/simulate` is SEEN by name only; its body is ASSUMED after the older
 * `{ amount, type }`. With `transactionId`, that transaction moves on; without, a new one is made.
 */
export const SimulateBody = z
  .object({
    type: z.enum(["AUTHORIZED", "DECLINED", "SETTLED", "REVERSED"]),
    virtualCardId: z.string().max(100).optional(),
    transactionId: z.string().max(100).optional(),
    amountCents: Cents.optional(),
    amount: Cents.optional(),
    merchantName: z.string().trim().min(1).max(100).default("SIMULATED MERCHANT"),
    mcc: z
      .string()
      .regex(/^\d{4}$/)
      .default("5734"),
  })
  .transform(({ amount, amountCents, ...body }) => ({
    ...body,
    amountCents: amountCents ?? amount,
  }));

export const simulatedStatus = {
  AUTHORIZED: "PENDING",
  DECLINED: "DECLINED",
  SETTLED: "CLEARED",
  REVERSED: "AUTH_REVERSAL",
} as const satisfies Record<string, TransactionStatus>;

/**
 * Erasure: a person leaves, and nothing of them stays that the law does not want kept. auth removes what
 * it holds in one transaction with the event that tells the other services; each removes or anonymises
 * what it holds and answers. This folder owns the receipt, which says how far that is and names nobody,
 * and what auth hands out to a person (export). What a service holds and forgets is its own business.
 * See docs/decisions/0011.
 */
import { createHash, randomBytes } from "node:crypto";
import {
  type AccountErased,
  accountErasedType,
  type EventToSend,
} from "@portico/service-kit/events";
import { z } from "zod";
import { keptS } from "../revocation/revocation.ts";

/** Who holds personal data, and so has to answer. */
export const holders = ["auth", "posts", "payments", "cards", "patients"] as const;
export type Holder = (typeof holders)[number];

/** 43 characters of base64url: whoever has it may ask how far the erasure is, and learns no more. */
export const ReceiptId = z
  .string()
  .regex(/^[\w-]{43}$/, { error: "Not the id of a receipt." })
  .meta({ description: "Id of the receipt, given when the account was erased" });

export const newReceiptId = (): string => randomBytes(32).toString("base64url");

export const hashReceiptId = (id: string): string =>
  createHash("sha256").update(id).digest("base64url");

/** How far one service is: removed what it found, and found nothing more when asked at last. */
export type Answer = { erasedAt: Date | null; confirmedAt: Date | null };

export type Erasure = {
  requestedAt: Date;
  answers: Record<Holder, Answer>;
  completedAt: Date | null;
};

/**
 * A request that the account had begun may write when a service has already removed what it found. So
 * each is asked again when no access token of the account can be alive, wherever it is used.
 */
export const asksAtLastAfterMs = keptS * 1000;

/** Until all have answered: an event may be forgotten when a service is away for longer than a week. */
export const asksAgainAfterMs = 3_600_000;

/** The account cannot be asked for any more: all services learn of it by this event. */
export const accountErased = (data: AccountErased): EventToSend => ({
  type: accountErasedType,
  subject: data.accountId,
  data,
});

const Progress = z.object({
  erasedAt: z.iso.datetime().nullable().meta({ description: "When what was found was removed" }),
  confirmedAt: z.iso
    .datetime()
    .nullable()
    .meta({ description: "When nothing more was found, and nothing more can come" }),
});

/** What whoever has the receipt sees. */
export const Receipt = z
  .object({
    id: ReceiptId,
    state: z.enum(["erasing", "complete"]),
    requestedAt: z.iso.datetime(),
    completedAt: z.iso.datetime().nullable(),
    services: z.record(z.enum(holders), Progress),
  })
  .meta({ id: "ErasureReceipt" });

export const toReceipt = (
  id: string,
  { requestedAt, answers, completedAt }: Erasure,
): z.output<typeof Receipt> => ({
  id,
  state: completedAt ? "complete" : "erasing",
  requestedAt: requestedAt.toISOString(),
  completedAt: completedAt?.toISOString() ?? null,
  services: forEachHolder((holder) => ({
    erasedAt: answers[holder].erasedAt?.toISOString() ?? null,
    confirmedAt: answers[holder].confirmedAt?.toISOString() ?? null,
  })),
});

export const forEachHolder = <T>(of: (holder: Holder) => T): Record<Holder, T> =>
  Object.fromEntries(holders.map((holder) => [holder, of(holder)])) as Record<Holder, T>;

/**
 * Every assumption about Extend's API that this service makes, in one place. Only what is used is
 * described, and only that has to be right: other fields of an answer are dropped.
 */
import { z } from "zod";
import { CardId, CardStatus } from "../cards/card.ts";

/** The version is part of the media type; a request without it is refused with 406. */
export const mediaType = "application/vnd.paywithextend.v2021-03-12+json";

/** Stands beside `Authorization: Basic base64(key:secret)`. */
export const apiKeyHeader = "x-extend-api-key";

/** What Extend's support asks for. */
export const requestIdHeader = "x-request-id";

/** Its lists count from here. */
export const firstPage = 1;

/** A card network that learns a new status should not take every list with it. */
const Status = CardStatus.catch("UNKNOWN");

export const VirtualCard = z.object({
  id: CardId,
  displayName: z.string(),
  status: Status,
  limitCents: z.int(),
  balanceCents: z.int(),
  last4: z.string().regex(/^\d{4}$/),
});

export const VirtualCardAnswer = z.object({ virtualCard: VirtualCard });

export const VirtualCardsAnswer = z.object({
  virtualCards: z.array(VirtualCard),
  pagination: z.object({ page: z.int().min(0), numberOfPages: z.int().min(0) }),
});

const Refusal = z.object({ details: z.unknown().optional() });

/**
 * The rate limit is 429, and was seen as 422 too, which also means refused input: that comes with
 * details about it.
 */
export const isThrottled = (status: number, body: unknown): boolean =>
  status === 429 || (status === 422 && Refusal.safeParse(body).data?.details === undefined);

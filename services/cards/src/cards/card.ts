/**
 * A virtual card, as far as anybody may know it here: its number and security code never reach us.
 * This folder owns what callers see of cards; where they come from, card-network/ knows.
 */
import { z } from "zod";

export const CardId = z
  .string()
  .regex(/^vc_[A-Za-z0-9]{1,64}$/, { error: "Not the id of a card: `vc_…`." })
  .meta({ description: "Id of a card, `vc_…`" });

export const CardStatus = z
  .enum(["ACTIVE", "CANCELLED", "EXPIRED", "PENDING", "CLOSED", "CONSUMED", "UNKNOWN"])
  .meta({ description: "UNKNOWN is a status that the card network has added since" });

export type CardStatus = z.output<typeof CardStatus>;

export const Card = z
  .object({
    id: CardId,
    displayName: z.string(),
    status: CardStatus,
    limitCents: z.int().meta({ description: "What the card may spend, in cents" }),
    balanceCents: z.int().meta({ description: "What is left of that, in cents" }),
    last4: z.string().meta({ description: "Last four digits of the card number" }),
  })
  .meta({ id: "Card" });

export type Card = z.output<typeof Card>;

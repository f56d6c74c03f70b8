/** What may go wrong on the way to a mailbox, on demand. */
import { z } from "zod";

const count = z.int().min(1).max(100_000).optional();

export const InboxFault = z.discriminatedUnion("kind", [
  /** RCPT TO is answered 451: try again later (greylisting, a full queue). */
  z.object({ kind: z.literal("refuse"), count }),
  /** RCPT TO is answered 550: no such mailbox, now or later. With `to`, for that recipient only. */
  z.object({ kind: z.literal("reject"), count, to: z.string().max(320).optional() }),
  /** MAIL FROM is answered late. */
  z.object({
    kind: z.literal("slow"),
    count,
    delayMs: z.int().min(0).max(600_000).default(10_000),
  }),
  /** The whole message is read, then the connection breaks without an answer. */
  z.object({ kind: z.literal("drop"), count }),
]);

export type InboxFault = z.infer<typeof InboxFault>;

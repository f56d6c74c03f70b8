import type { CloudEvent } from "@portico/service-kit/events";
import type { Account } from "../accounts/account.ts";
import type { Deliver } from "../mail/deliver.ts";
import type { Mail } from "../mail/mail.ts";
import { hashToken, type LinkPurpose, linkLifetimeMs, type TokenOf } from "./link.ts";
import type { LinkStore } from "./link-store.ts";

/** Mails the link that `event` asks for, unless a newer one was asked for meanwhile. */
export type MailLink = (
  event: CloudEvent,
  account: Account,
  purpose: LinkPurpose,
  mailOf: (token: string) => Mail,
) => Promise<void>;

/**
 * The link is kept before the mail goes out, outside the event's own transaction: cut off in between,
 * the event comes again and the same mail once more.
 */
export const mailLinkWith =
  (links: LinkStore, tokenOf: TokenOf, deliver: Deliver): MailLink =>
  async (event, account, purpose, mailOf) => {
    const token = tokenOf(purpose, event.id);
    const isNewest = await links.put({
      purpose,
      accountId: account.id,
      tokenHash: hashToken(token),
      email: account.email,
      requestId: event.id,
      requestedAt: new Date(event.time),
      expiresAt: new Date(Date.now() + linkLifetimeMs),
      usedAt: null,
    });
    if (isNewest) await deliver(event, account.email, mailOf(token));
  };

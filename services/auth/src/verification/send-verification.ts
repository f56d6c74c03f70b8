import type { EventHandler } from "@portico/service-kit/events";
import type { AccountStore } from "../accounts/account-store.ts";
import type { Mailer } from "../mail/mailer.ts";
import { hashToken, linkLifetimeMs, newToken } from "./verification.ts";
import { verificationMail } from "./verification-mail.ts";
import type { VerificationStore } from "./verification-store.ts";

/**
 * Makes a link and mails it. The link is kept before the mail goes out, outside the event's own
 * transaction: after a crash the event comes again with another link, and a mail that did go out must
 * work all the same.
 */
export const sendVerification =
  (
    accounts: AccountStore,
    verifications: VerificationStore,
    mailer: Mailer,
    publicOrigin: string,
  ): EventHandler =>
  async (event) => {
    const account = await accounts.find(String(event.data.accountId));
    if (!account || account.emailVerified) return;
    const token = newToken();
    await verifications.add({
      tokenHash: hashToken(token),
      accountId: account.id,
      email: account.email,
      expiresAt: new Date(Date.now() + linkLifetimeMs),
      usedAt: null,
    });
    await mailer.send(
      account.email,
      verificationMail(`${publicOrigin}/auth/verify?token=${token}`),
    );
  };

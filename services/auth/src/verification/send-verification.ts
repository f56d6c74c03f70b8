import type { EventHandler } from "@portico/service-kit/events";
import type { AccountStore } from "../accounts/account-store.ts";
import type { MailLink } from "../links/mail-link.ts";
import { verificationMail } from "./verification-mail.ts";

export const sendVerification =
  (accounts: AccountStore, mailLink: MailLink, publicOrigin: string): EventHandler =>
  async (event) => {
    const account = await accounts.find(String(event.data.accountId));
    if (!account || account.emailVerified) return;
    await mailLink(event, account, "verification", (token) =>
      verificationMail(`${publicOrigin}/auth/verify?token=${token}`),
    );
  };

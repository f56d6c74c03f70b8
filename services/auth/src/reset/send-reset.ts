import type { EventHandler } from "@portico/service-kit/events";
import type { AccountStore } from "../accounts/account-store.ts";
import type { MailLink } from "../links/mail-link.ts";
import type { Deliver } from "../mail/deliver.ts";
import { passwordChangedMail, resetMail } from "./reset-mail.ts";

/** Whoever is suspended could do nothing with a new password. */
export const sendReset =
  (accounts: AccountStore, mailLink: MailLink, publicOrigin: string): EventHandler =>
  async (event) => {
    const account = await accounts.find(String(event.data.accountId));
    if (account?.status !== "active") return;
    await mailLink(event, account, "reset", (token) =>
      resetMail(`${publicOrigin}/auth/reset?token=${token}`),
    );
  };

export const sendPasswordChanged =
  (accounts: AccountStore, deliver: Deliver, publicOrigin: string): EventHandler =>
  async (event) => {
    const account = await accounts.find(String(event.data.accountId));
    const mail = passwordChangedMail(`${publicOrigin}/auth/forgot-password`);
    if (account) await deliver(event, account.email, mail);
  };

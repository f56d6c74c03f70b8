import type { EventHandler } from "@portico/service-kit/events";
import type { AccountStore } from "../accounts/account-store.ts";
import type { Deliver } from "../mail/deliver.ts";
import { type Mail, toMail } from "../mail/mail.ts";
import { Change } from "./second-factor-events.ts";

const whatHappened: Record<Change, string> = {
  "authenticator-added": "An authenticator app was added to the account with this address",
  "authenticator-removed": "The authenticator app was removed from the account with this address",
  "passkey-added": "A passkey was added to the account with this address",
  "passkey-removed": "A passkey was removed from the account with this address",
  "recovery-codes-renewed": "The recovery codes of the account with this address were replaced",
};

/** NIST SP 800-63B-4 section 4.6: whoever owns the account hears of it, also when it was somebody else. */
const mailOf = (change: Change, resetLink: string): Mail =>
  toMail({
    subject: "How you sign in was changed",
    paragraphs: [
      `${whatHappened[change]} just now.`,
      "If it was not you, choose a new password at once: that signs everybody out. Then look through your account.",
    ],
    action: { text: "Choose a new password", link: resetLink },
    closing: "If it was you, there is nothing to do.",
  });

export const sendSecondFactorChanged =
  (accounts: AccountStore, deliver: Deliver, publicOrigin: string): EventHandler =>
  async (event) => {
    const account = await accounts.find(String(event.data.accountId));
    const mail = mailOf(Change.parse(event.data.change), `${publicOrigin}/auth/forgot-password`);
    if (account) await deliver(event, account.email, mail);
  };

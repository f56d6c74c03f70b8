import type { EventHandler } from "@portico/service-kit/events";
import type { Deliver } from "../mail/deliver.ts";
import { type Mail, toMail } from "../mail/mail.ts";
import type { AccountStore } from "./account-store.ts";

const mailAbout = (frontendUrl: string): Mail =>
  toMail({
    subject: "This address has an account",
    paragraphs: [
      "Somebody signed up with this address, which has an account already. It was not changed.",
      "If it was you: sign in with the password of that account.",
    ],
    action: { text: "Sign in", link: frontendUrl },
    closing: "If it was not you, ignore this mail.",
  });

/** Tells the owner what the answer to a sign-up must not tell. */
export const sendSignUpRepeated =
  (accounts: AccountStore, deliver: Deliver, frontendUrl: string): EventHandler =>
  async (event) => {
    const account = await accounts.find(String(event.data.accountId));
    if (account) await deliver(event, account.email, mailAbout(frontendUrl));
  };

/** Whoever owns an account hears of each way into it that comes or goes, also when it was somebody else. */
import type { EventHandler } from "@portico/service-kit/events";
import { accountPath } from "../account-page/account-client.ts";
import type { AccountStore } from "../accounts/account-store.ts";
import type { Deliver } from "../mail/deliver.ts";
import { type Mail, toMail } from "../mail/mail.ts";
import type { Federation } from "./federation.ts";

const linkedMail = (provider: string, link: string): Mail =>
  toMail({
    subject: `${provider} opens your account now`,
    paragraphs: [
      `${provider} was linked to the account with this address: from now on it can be signed in to with ${provider}.`,
      "If it was not you, unlink it and choose a new password at once.",
    ],
    action: { text: "Look at your account", link },
    closing: "If it was you, there is nothing to do.",
  });

const unlinkedMail = (provider: string, link: string): Mail =>
  toMail({
    subject: `${provider} no longer opens your account`,
    paragraphs: [
      `${provider} was unlinked from the account with this address, and everybody else who was signed in was signed out.`,
      "If it was not you, choose a new password at once.",
    ],
    action: { text: "Look at your account", link },
    closing: "If it was you, there is nothing to do.",
  });

type Dependencies = {
  accounts: Pick<AccountStore, "find">;
  federation: Pick<Federation, "find">;
  deliver: Deliver;
  publicOrigin: string;
};

const tell =
  (
    mailAbout: (provider: string, link: string) => Mail,
    { accounts, federation, deliver, publicOrigin }: Dependencies,
  ): EventHandler =>
  async (event) => {
    const account = await accounts.find(String(event.data.accountId));
    if (!account) return;
    const id = String(event.data.provider);
    const name = federation.find(id)?.name ?? id;
    await deliver(event, account.email, mailAbout(name, `${publicOrigin}${accountPath}`));
  };

/** Full event type -> what is done about it. */
export const identityHandlers = (dependencies: Dependencies): Record<string, EventHandler> => ({
  "dev.portico.auth.identity-linked": tell(linkedMail, dependencies),
  "dev.portico.auth.identity-unlinked": tell(unlinkedMail, dependencies),
});

/** The forms of the account page that need no fresh sign-in: nothing of theirs lets anybody in. */

import { Name } from "../accounts/account.ts";
import type { AccountStore } from "../accounts/account-store.ts";
import type { WithdrawConsent } from "../consent/withdraw-consent.ts";
import { html } from "../pages/html.ts";
import type { SessionStore } from "../sessions/session-store.ts";
import type { SendAgain } from "../verification/request-verification.ts";
import { showBelow } from "./fragments.ts";
import { goTo } from "./notices.ts";
import type { VisitorPage } from "./visitor-page.ts";

export type AccountFormDependencies = {
  accounts: Pick<AccountStore, "setName">;
  sendAgain: SendAgain;
  sessions: Pick<SessionStore, "end" | "endAll">;
  withdrawConsent: WithdrawConsent;
};

export const accountForms = (dependencies: AccountFormDependencies): VisitorPage[] => [
  { path: "/profile", returnTo: "", post: changeName(dependencies) },
  { path: "/verification", returnTo: "", post: sendLinkAgain(dependencies) },
  { path: "/sessions/end", returnTo: "", post: endSession(dependencies) },
  { path: "/sessions/end-others", returnTo: "", post: endOthers(dependencies) },
  { path: "/applications/withdraw", returnTo: "", post: withdraw(dependencies) },
];

type Post = NonNullable<VisitorPage["post"]>;

/** An empty name is none. */
const changeName =
  ({ accounts }: AccountFormDependencies): Post =>
  async ({ visitor, response, form }) => {
    const given = (form.get("name") ?? "").trim();
    const name = given === "" ? { data: null } : Name.safeParse(given);
    if (name.data === undefined) {
      const wrong = html`<p class="wrong" role="alert">A name has at most 100 characters, and no control characters.</p>`;
      showBelow(response, "This name was not saved", wrong, { status: 400 });
      return;
    }
    await accounts.setName(visitor.account.id, name.data);
    goTo(response, "name");
  };

const sendLinkAgain =
  ({ sendAgain }: AccountFormDependencies): Post =>
  async ({ visitor, response }) => {
    if (!visitor.account.emailVerified) await sendAgain(visitor.account);
    goTo(response, "link-sent");
  };

/** One that is not there, or not theirs, is ended already. */
const endSession =
  ({ sessions }: AccountFormDependencies): Post =>
  async ({ visitor, response, form }) => {
    await sessions.end(visitor.account.id, form.get("session") ?? "");
    goTo(response, "session-ended");
  };

const endOthers =
  ({ sessions }: AccountFormDependencies): Post =>
  async ({ visitor, response }) => {
    await sessions.endAll(visitor.account.id, { except: visitor.sessionUid });
    goTo(response, "others-ended");
  };

const withdraw =
  ({ withdrawConsent }: AccountFormDependencies): Post =>
  async ({ visitor, response, form }) => {
    await withdrawConsent(visitor.account.id, form.get("client") ?? "");
    goTo(response, "withdrawn");
  };

import { html } from "../pages/html.ts";
import { sendPage } from "../pages/page.ts";
import type { EraseAccount } from "../personal-data/erase-account.ts";
import { accountPath } from "./account-client.ts";
import { showBelow } from "./fragments.ts";
import type { VisitorPage } from "./visitor-page.ts";

/** What `DELETE /auth/users/me` does, for people: see personal-data/. */
export const deletePage = (eraseAccount: EraseAccount): VisitorPage => ({
  path: "/delete",
  recently: true,
  returnTo: "/delete",

  get({ visitor, response, formToken }) {
    showBelow(
      response,
      "Delete your account?",
      html`<p>The account ${visitor.account.email} and what belongs to it is removed everywhere, and nobody can
bring it back.</p>
<form method="post" action="${accountPath}/delete">
${formToken}
<button type="submit" class="danger">Delete my account</button>
</form>`,
    );
  },

  async post({ visitor, response }) {
    const erased = await eraseAccount(visitor.account.id);
    const receipt = erased && `/auth/erasures/${erased.receiptId}`;
    const follow = receipt
      ? html`<p>Other services remove what they hold within minutes. <a href="${receipt}">This receipt</a> says how
far they are: keep its address if you want to know.</p>`
      : undefined;
    sendPage(
      response,
      "Your account is deleted",
      html`<p>You are signed out everywhere.</p>${follow}`,
    );
  },
});

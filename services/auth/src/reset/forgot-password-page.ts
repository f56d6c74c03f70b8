import type { ServerResponse } from "node:http";
import { EmailAddress } from "../accounts/account.ts";
import type { FormTokens } from "../pages/form-token.ts";
import { type Html, html } from "../pages/html.ts";
import { sendPage } from "../pages/page.ts";
import { type Page, toHandler } from "../pages/page-handler.ts";
import type { RequestReset } from "./request-reset.ts";

/** Where people ask for a link. */
export const forgotPasswordPage = (requestReset: RequestReset, formTokens: FormTokens) => {
  const page: Page = {
    route: "/auth/forgot-password",

    async get(_request, response, formToken) {
      showQuestion(response, formToken);
    },

    async post(request, response, form, formToken) {
      const given = form.get("email") ?? "";
      const email = EmailAddress.safeParse(given).data;
      if (!email) {
        showQuestion(response, formToken, given);
        return;
      }
      await requestReset({ email, address: request.ip ?? "" });
      const answer = html`<p>If there is an account with the address ${email}, a mail is on its way to it.
Its link works once, within one hour.</p>`;
      sendPage(response, "Look into your mailbox", answer);
    },
  };
  return toHandler(page, formTokens);
};

/** @param rejected what was typed, and is no address */
function showQuestion(response: ServerResponse, formToken: Html, rejected?: string): void {
  const wrong = html`<p class="wrong" role="alert" id="wrong">This is not an e-mail address.</p>`;
  const invalid = html` aria-invalid="true" aria-describedby="wrong"`;
  const question = html`<p>We mail you a link to choose a new one.</p>
${rejected === undefined ? undefined : wrong}
<form method="post" action="/auth/forgot-password">
${formToken}
<label for="email">E-mail address</label>
<input id="email" name="email" type="email" autocomplete="username" required value="${rejected}"${rejected === undefined ? undefined : invalid}>
<button type="submit">Send the link</button>
</form>`;
  const status = rejected === undefined ? 200 : 400;
  sendPage(response, "Forgot your password?", question, { status });
}

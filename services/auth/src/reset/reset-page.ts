import type { ServerResponse } from "node:http";
import { Problem } from "@portico/service-kit";
import { NewPassword } from "../accounts/password.ts";
import { LinkToken, unknownLink } from "../links/link.ts";
import type { FormTokens } from "../pages/form-token.ts";
import { type Html, html } from "../pages/html.ts";
import { sendPage } from "../pages/page.ts";
import { type Page, toHandler } from "../pages/page-handler.ts";
import type { ResetPassword } from "./reset-password.ts";

/**
 * Where the link of the mail leads: a form for the new password. Opening it uses nothing, since mail
 * programs open links by themselves. The token is in no link of the page, and no Referer is sent.
 */
export const resetPage = (
  resetPassword: ResetPassword,
  formTokens: FormTokens,
  frontendUrl: string,
) => {
  const page: Page = {
    route: "/auth/reset",

    async get(request, response, formToken) {
      const { searchParams } = new URL(request.url ?? "", "http://auth");
      showForm(response, formToken, searchParams.get("token") ?? "");
    },

    async post(request, response, form, formToken) {
      const token = form.get("token") ?? "";
      if (!LinkToken.safeParse(token).success) throw unknownLink();
      const complaint = await reset(token, form.get("password") ?? "", request.ip ?? "");
      if (complaint) {
        showForm(response, formToken, token, complaint);
        return;
      }
      const done = html`<p>Your password is changed. Whoever was signed in to your account is signed out.</p>
<p><a class="button" href="${frontendUrl}">Continue</a></p>`;
      sendPage(response, "Password changed", done);
    },
  };

  /** What is wrong with the password, if anything. */
  const reset = async (token: string, given: string, address: string) => {
    const parsed = NewPassword.safeParse(given);
    if (parsed.error) return parsed.error.issues[0]?.message;
    try {
      await resetPassword({ token, password: parsed.data, address });
      return undefined;
    } catch (error) {
      const complaint = error instanceof Problem ? error.errors?.[0]?.detail : undefined;
      if (!complaint) throw error;
      return complaint;
    }
  };

  return toHandler(page, formTokens);
};

function showForm(
  response: ServerResponse,
  formToken: Html,
  token: string,
  complaint?: string,
): void {
  const wrong = html`<p class="wrong" role="alert" id="wrong">${complaint}</p>`;
  const form = html`<p>At least 8 characters. A few words that you will remember are better than signs and digits.</p>
${complaint === undefined ? undefined : wrong}
<form method="post" action="/auth/reset">
${formToken}
<input type="hidden" name="token" value="${token}">
<label for="password">New password</label>
<input id="password" name="password" type="password" autocomplete="new-password" minlength="8" required>
<button type="submit">Change the password</button>
</form>`;
  const status = complaint === undefined ? 200 : 400;
  sendPage(response, "Choose a new password", form, { status });
}

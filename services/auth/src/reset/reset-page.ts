import { Problem } from "@portico/service-kit";
import { NewPassword } from "../accounts/password.ts";
import { LinkToken, unknownLink } from "../links/link.ts";
import type { FormTokens } from "../pages/form-token.ts";
import { html } from "../pages/html.ts";
import { sendPage } from "../pages/page.ts";
import { type Page, toHandler } from "../pages/page-handler.ts";
import { resetForm, resetTitle } from "./reset-form.ts";
import type { ResetPassword } from "./reset-password.ts";

/** The form of the link's page: changes the password, and answers with a page. */
export const resetPage = (
  resetPassword: ResetPassword,
  formTokens: FormTokens,
  frontendUrl: string,
) => {
  const done = html`<p>Your password is changed. Whoever was signed in to your account is signed out.</p>
<p><a class="button" href="${frontendUrl}">Continue</a></p>`;

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

  const page: Page = {
    route: "/auth/reset",
    takesFormsFromAnywhere: true,

    async post(request, response, form) {
      const token = form.get("token") ?? "";
      if (!LinkToken.safeParse(token).success) throw unknownLink();
      const complaint = await reset(token, form.get("password") ?? "", request.ip ?? "");
      if (complaint === undefined) sendPage(response, "Password changed", done);
      else sendPage(response, resetTitle, resetForm(token, complaint), { status: 400 });
    },
  };
  return toHandler(page, formTokens);
};

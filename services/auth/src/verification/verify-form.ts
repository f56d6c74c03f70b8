import { usedLink } from "../links/link.ts";
import type { FormTokens } from "../pages/form-token.ts";
import { html, join } from "../pages/html.ts";
import { sendPage } from "../pages/page.ts";
import { type Page, toHandler } from "../pages/page-handler.ts";
import type { VerifyAddress } from "./verify-address.ts";

/** The button of the link's page: verifies, and answers with a page. */
export const verifyForm = (
  verifyAddress: VerifyAddress,
  formTokens: FormTokens,
  frontendUrl: string,
) => {
  const goOn = html`<p><a class="button" href="${frontendUrl}">Continue</a></p>`;

  const page: Page = {
    route: "/auth/verify",
    takesFormsFromAnywhere: true,

    async post(request, response, form) {
      try {
        await verifyAddress({ token: form.get("token") ?? "", address: request.ip ?? "" });
      } catch (error) {
        if (!isUsedLink(error)) throw error;
        // Pressed twice: the link is refused, but the person is where they wanted to be.
        sendPage(response, "Verified already", goOn, { status: usedLink.status });
        return;
      }
      const thanks = html`<p>Thank you. Your e-mail address is verified.</p>`;
      sendPage(response, "Verified", join([thanks, goOn]));
    },
  };
  return toHandler(page, formTokens);
};

const isUsedLink = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === usedLink.code;

import { type Logger, notFound } from "@portico/service-kit";
import type { Federation } from "../identity-providers/federation.ts";
import { linkPathOf } from "../identity-providers/paths.ts";
import { providerIdOf } from "../identity-providers/start-page.ts";
import { answerFailure } from "../identity-providers/trouble-page.ts";
import { html } from "../pages/html.ts";
import { sendPage } from "../pages/page.ts";
import { accountPath } from "./account-client.ts";
import type { VisitorPage } from "./visitor-page.ts";

/**
 * Where a form "Link …" goes: to the provider, whose answer comes to its callback. A form with a token,
 * because a page of another site must not make anybody link an identity that it chose.
 */
export const linkIdentityPage = (federation: Federation, logger: Logger): VisitorPage => ({
  path: linkPathOf(":providerId").slice(accountPath.length),
  recently: true,
  returnTo: "/security",

  async post({ visitor, request, response }) {
    const chosen = federation.find(providerIdOf(request));
    if (!chosen) throw notFound("There is no such identity provider.");
    const { account, sessionUid } = visitor;
    const purpose = { kind: "link" as const, accountId: account.id, sessionUid };
    try {
      const { href } = await federation.leave(request, response, chosen.id, {
        ...purpose,
        reauthenticate: false,
      });
      // Not a redirect: the policy of the form's page holds `form-action` against that.
      response.setHeader("Refresh", `0; url=${href}`);
      const link = html`<p><a class="button" href="${href}">Continue to ${chosen.name}</a></p>`;
      sendPage(response, `Link ${chosen.name}`, link);
    } catch (error) {
      answerFailure(response, error, chosen, `${accountPath}/security`, logger);
    }
  },
});

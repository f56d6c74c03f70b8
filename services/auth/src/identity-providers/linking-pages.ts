/**
 * Somebody who is signed in adds an identity to their account: the form of the account page leaves for
 * the provider, and the callback comes back here. The form carries a token, because a page of another
 * site must not make anybody link an identity that it chose.
 */

import type { Logger } from "@portico/service-kit";
import { notFound, Problem, unauthenticated } from "@portico/service-kit";
import { type FindSignedIn, sessionOf } from "../oidc/signed-in.ts";
import type { FormTokens } from "../pages/form-token.ts";
import { html } from "../pages/html.ts";
import { redirect, sendPage } from "../pages/page.ts";
import { type Page, toHandler } from "../pages/page-handler.ts";
import type { FinishLinking } from "./callback-page.ts";
import type { Federation } from "./federation.ts";
import type { Linking } from "./linking.ts";
import { accountPath, linkPathOf } from "./paths.ts";
import { providerIdOf } from "./start-page.ts";
import { answerFailure, lostOnTheWay, showTrouble } from "./trouble-page.ts";

type Dependencies = {
  federation: Federation;
  linking: Pick<Linking, "link">;
  findSignedIn: FindSignedIn;
  formTokens: FormTokens;
  logger: Logger;
};

/** Where the account page's form "Link …" goes. */
export const startLinkingPage = (dependencies: Dependencies) => {
  const { federation, findSignedIn, formTokens, logger } = dependencies;

  const page: Page = {
    route: linkPathOf(":providerId"),
    boundTo: async (request, response) => sessionOf(await findSignedIn(request, response)),

    async post(request, response) {
      const signedIn = await findSignedIn(request, response);
      if (!signedIn) throw unauthenticated("Sign in first.");
      const chosen = federation.find(providerIdOf(request));
      if (!chosen) throw notFound("There is no such identity provider.");
      try {
        const purpose = { kind: "link" as const, ...signedIn, reauthenticate: false };
        const url = await federation.leave(request, response, chosen.id, purpose);
        // Not a redirect: the policy of the form's page holds `form-action` against that.
        response.setHeader("Refresh", `0; url=${url.href}`);
        const link = html`<p><a class="button" href="${url.href}">Continue to ${chosen.name}</a></p>`;
        sendPage(response, `Link ${chosen.name}`, link);
      } catch (error) {
        answerFailure(response, error, chosen, accountPath, logger);
      }
    },
  };
  return toHandler(page, formTokens);
};

export const finishLinkingWith =
  ({ federation, linking, findSignedIn }: Dependencies): FinishLinking =>
  async (request, response, { providerId, purpose }, identity) => {
    const signedIn = await findSignedIn(request, response);
    const isTheSame =
      purpose.kind === "link" &&
      signedIn?.accountId === purpose.accountId &&
      signedIn.sessionUid === purpose.sessionUid;
    if (!isTheSame) {
      showTrouble(response, lostOnTheWay, accountPath);
      return;
    }
    try {
      await linking.link(signedIn.accountId, { providerId, identity });
      redirect(response, accountPath);
    } catch (error) {
      if (!(error instanceof Problem) || error.status >= 500) throw error;
      const name = federation.find(providerId)?.name ?? providerId;
      const trouble = { status: error.status, title: `${name} was not linked`, text: error.detail };
      showTrouble(response, trouble, accountPath);
    }
  };

/** The button of the sign-in page: leaves for a provider. */
import type { Logger } from "@portico/service-kit";
import { notFound } from "@portico/service-kit";
import type { Interaction } from "oidc-provider";
import type { CurrentProvider } from "../oidc/current-provider.ts";
import { interactionOf, loadInteraction } from "../oidc/load-interaction.ts";
import type { FormTokens } from "../pages/form-token.ts";
import { redirect } from "../pages/page.ts";
import { type Page, type PageRequest, toHandler } from "../pages/page-handler.ts";
import type { Federation } from "./federation.ts";
import { signInPathOf } from "./paths.ts";
import { answerFailure } from "./trouble-page.ts";

type Dependencies = {
  currentProvider: CurrentProvider;
  federation: Federation;
  formTokens: FormTokens;
  logger: Logger;
};

export const startPage = ({ currentProvider, federation, formTokens, logger }: Dependencies) => {
  const page: Page = {
    route: "/auth/interaction/:uid/identity-providers/:providerId",
    boundTo: interactionOf,

    async get(request, response) {
      const { interaction } = await loadInteraction(currentProvider(), request, response);
      const chosen = federation.find(providerIdOf(request));
      if (!chosen) throw notFound("There is no such identity provider.");
      if (interaction.prompt.name !== "login") {
        redirect(response, signInPathOf(interaction.uid));
        return;
      }
      try {
        const purpose = {
          kind: "sign-in" as const,
          interactionUid: interaction.uid,
          chain: interaction.cid,
          reauthenticate: mustProveAgain(interaction),
        };
        const url = await federation.leave(request, response, chosen.id, purpose);
        redirect(response, url.href);
      } catch (error) {
        answerFailure(response, error, chosen, signInPathOf(interaction.uid), logger);
      }
    },
  };
  return toHandler(page, formTokens);
};

export const providerIdOf = ({ params }: PageRequest): string => String(params?.providerId);

/** OpenID Connect Core section 3.1.2.1: `prompt=login`, or a `max_age` that has passed. */
const mustProveAgain = ({ prompt }: Interaction): boolean =>
  prompt.reasons.includes("login_prompt") || prompt.reasons.includes("max_age");

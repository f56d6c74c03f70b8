/**
 * Where a provider sends the browser back. What is found out here is kept; the interaction that waits for
 * it goes on under its own path, where the browser sends its cookie.
 */
import type { ServerResponse } from "node:http";
import { type Logger, notFound } from "@portico/service-kit";
import type { FormTokens } from "../pages/form-token.ts";
import { redirect } from "../pages/page.ts";
import { type Page, type PageRequest, toHandler } from "../pages/page-handler.ts";
import type { FederatedSignIn, Purpose } from "./federated-sign-in.ts";
import type { FederatedSignInStore } from "./federated-sign-in-store.ts";
import type { Federation } from "./federation.ts";
import type { ProvidedIdentity } from "./identity-provider.ts";
import { arrivalPathOf, securityPath, signInPathOf } from "./paths.ts";
import { providerIdOf } from "./start-page.ts";
import { answerFailure, lostOnTheWay, showTrouble } from "./trouble-page.ts";

/** Ends the way of somebody who is signed in and adds an identity to their account. */
export type FinishLinking = (
  request: PageRequest,
  response: ServerResponse,
  signIn: FederatedSignIn,
  identity: ProvidedIdentity,
) => Promise<void>;

type Dependencies = {
  federation: Federation;
  signIns: FederatedSignInStore;
  finishLinking: FinishLinking;
  formTokens: FormTokens;
  logger: Logger;
};

export const callbackPage = (dependencies: Dependencies) => {
  const { federation, signIns, finishLinking, formTokens, logger } = dependencies;

  const page: Page = {
    route: "/auth/identity-providers/:providerId/callback",
    boundTo: () => "no form",

    async get(request, response) {
      const provider = federation.find(providerIdOf(request));
      if (!provider) throw notFound("There is no such identity provider.");
      const answer = new URL(request.url ?? "", "http://auth").searchParams;
      const signIn = await federation.takeAnswer(request, provider.id, answer);
      if (!signIn) {
        showTrouble(response, lostOnTheWay);
        return;
      }
      const { purpose } = signIn;
      try {
        const identity = await federation.identify(request, signIn, answer);
        if (purpose.kind === "link") {
          await finishLinking(request, response, signIn, identity);
          return;
        }
        await signIns.identified(signIn.stateHash, identity);
        redirect(response, arrivalPathOf(purpose.interactionUid));
      } catch (error) {
        answerFailure(response, error, provider, whereTheyCameFrom(purpose), logger);
      }
    },
  };
  return toHandler(page, formTokens);
};

const whereTheyCameFrom = (purpose: Purpose): string =>
  purpose.kind === "link" ? securityPath : signInPathOf(purpose.interactionUid);

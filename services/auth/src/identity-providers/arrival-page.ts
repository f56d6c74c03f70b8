/** Back from a provider, in the interaction that waits: signs in, or says what is missing. */
import type { CurrentProvider } from "../oidc/current-provider.ts";
import type { FinishSignIn } from "../oidc/finish-sign-in.ts";
import { interactionOf, loadInteraction } from "../oidc/load-interaction.ts";
import type { FormTokens } from "../pages/form-token.ts";
import { redirect } from "../pages/page.ts";
import { type Page, toHandler } from "../pages/page-handler.ts";
import type { Receive } from "./arrival.ts";
import type { FederatedSignInStore } from "./federated-sign-in-store.ts";
import type { Federation } from "./federation.ts";
import { signInPathOf } from "./paths.ts";
import { addressUnproved, showTrouble } from "./trouble-page.ts";

/**
 * RFC 8176 registers no value for another provider's word; `fed` is what Microsoft and others say. What
 * that provider says of its own methods is not passed on: we cannot judge it.
 */
const amr = ["fed"];

type Dependencies = {
  currentProvider: CurrentProvider;
  federation: Federation;
  signIns: FederatedSignInStore;
  receive: Receive;
  finishSignIn: FinishSignIn;
  formTokens: FormTokens;
  now?: () => Date;
};

export const arrivalPage = (dependencies: Dependencies) => {
  const { currentProvider, federation, signIns, receive, finishSignIn, formTokens } = dependencies;
  const { now = () => new Date() } = dependencies;

  const page: Page = {
    route: "/auth/interaction/:uid/arrival",
    boundTo: interactionOf,

    async get(request, response) {
      const { interaction } = await loadInteraction(currentProvider(), request, response);
      const signInPath = signInPathOf(interaction.uid);
      const signIn = await signIns.findIdentified(interaction.cid, now());
      if (!signIn?.identity || interaction.prompt.name !== "login") {
        redirect(response, signInPath);
        return;
      }
      const { providerId, identity } = signIn;
      const outcome = await receive({ providerId, identity });
      // Kept while the person proves the account: finishing the sign-in links them.
      if (outcome.kind === "prove") {
        redirect(response, signInPath);
        return;
      }
      await signIns.forget(signIn.stateHash);
      if (outcome.kind === "welcome") {
        await finishSignIn(request, response, { account: outcome.account, amr });
        return;
      }
      const name = federation.find(providerId)?.name ?? providerId;
      showTrouble(response, addressUnproved(name), signInPath);
    },
  };
  return toHandler(page, formTokens);
};

/**
 * What a person does while a client waits for authorization: signing in, and letting a client in. The
 * signed interaction cookie, which no other site can have sent (SameSite=Lax, path of this interaction),
 * binds each step to the browser that began it.
 */
import type { ServerResponse } from "node:http";
import { Problem, tooManyRequests } from "@portico/service-kit";
import type { Interaction, Provider } from "oidc-provider";
import { z } from "zod";
import { type Account, EmailAddress } from "../accounts/account.ts";
import type { Authenticate } from "../accounts/authenticate.ts";
import { GivenPassword } from "../accounts/password.ts";
import type { AskConsent } from "../consent/ask-consent.ts";
import { showConsent } from "../consent/consent-page.ts";
import type { IdentityProviders } from "../identity-providers/create-identity-providers.ts";
import { offersOf } from "../identity-providers/offers.ts";
import type { FormTokens } from "../pages/form-token.ts";
import { type Page, type PageRequest, toHandler } from "../pages/page-handler.ts";
import type { SecondFactor } from "../second-factor/create-second-factor.ts";
import { methods } from "../second-factor/second-factor.ts";
import type { CurrentProvider } from "./current-provider.ts";
import type { FinishSignIn } from "./finish-sign-in.ts";
import {
  type Rejected,
  type Shown,
  showContinue,
  showEnrolment,
  showSecondFactor,
  showSignIn,
  wrongPassword,
} from "./interaction-pages.ts";
import { interactionOf, loadInteraction } from "./load-interaction.ts";
import type { FindSignInStep } from "./sign-in-step.ts";

const SignInForm = z.object({ email: EmailAddress, password: GivenPassword });

export type InteractionDependencies = {
  currentProvider: CurrentProvider;
  authenticate: Authenticate;
  secondFactor: SecondFactor;
  identityProviders: IdentityProviders;
  findSignInStep: FindSignInStep;
  finishSignIn: FinishSignIn;
  formTokens: FormTokens;
  askConsent: AskConsent;
};

export const interaction = (dependencies: InteractionDependencies) => {
  const { currentProvider, authenticate, secondFactor, findSignInStep, finishSignIn, askConsent } =
    dependencies;
  const findOffers = offersOf(dependencies.identityProviders);

  const continueSignIn = async (shown: Shown, request: PageRequest) => {
    const step = await findSignInStep(shown.interaction);
    if (step.name === "first-factor") {
      showSignIn(shown, await findOffers(shown.interaction));
    } else if (step.name === "second-factor") {
      showSecondFactor(shown, step.enrolled);
    } else if (step.name === "enrolment") {
      await showEnrolment(shown, secondFactor.enrolAuthenticator.offer(step.proved.account));
    } else {
      await finishSignIn(request, shown.response, step.proved);
    }
  };

  const checkPassword = async (
    form: URLSearchParams,
    address: string,
  ): Promise<Account | Rejected> => {
    const email = form.get("email") ?? "";
    const given = SignInForm.safeParse(Object.fromEntries(form)).data;
    try {
      const account = given && (await authenticate({ ...given, address })).account;
      return account ?? { email, why: wrongPassword };
    } catch (error) {
      if (!isTooSoon(error)) throw error;
      return { email, why: error.detail, problem: error };
    }
  };

  const page: Page = {
    route: "/auth/interaction/:uid",
    boundTo: interactionOf,

    async get(request, response, formToken) {
      const provider = currentProvider();
      const { interaction, client } = await loadInteraction(provider, request, response);
      const shown = { response, interaction, client, formToken };
      if (interaction.prompt.name === "login") {
        await continueSignIn(shown, request);
        return;
      }
      const question = await askConsent.question(interaction, client);
      if (question === "consent") showConsent(shown);
      else if (question === "continue") showContinue(shown);
      else await letIn(provider, interaction, request, response);
    },

    async post(request, response, form, formToken) {
      const provider = currentProvider();
      const { interaction, client } = await loadInteraction(provider, request, response);
      if (form.has("cancel")) {
        await cancel(provider, request, response);
        return;
      }
      if (interaction.prompt.name === "consent") {
        await askConsent.given(interaction, client);
        await letIn(provider, interaction, request, response);
        return;
      }
      const checked = await checkPassword(form, request.ip ?? "");
      if ("why" in checked) {
        const offers = await findOffers(interaction);
        showSignIn({ response, interaction, client, formToken }, offers, checked);
        return;
      }
      await finishSignIn(request, response, { account: checked, amr: [methods.password] });
    },
  };
  return toHandler(page, dependencies.formTokens);
};

const isTooSoon = (error: unknown): error is Problem =>
  error instanceof Problem && error.code === tooManyRequests.code;

const Missing = z.object({
  missingOIDCScope: z.array(z.string()).default([]),
  missingResourceScopes: z.record(z.string(), z.array(z.string())).default({}),
});

/** Grants what was asked; roles are applied when tokens are made. */
async function letIn(
  provider: Provider,
  interaction: Interaction,
  request: PageRequest,
  response: ServerResponse,
): Promise<void> {
  const missing = Missing.parse(interaction.prompt.details);
  const known = interaction.grantId && (await provider.Grant.find(interaction.grantId));
  const grant =
    known ||
    new provider.Grant({
      accountId: interaction.session?.accountId,
      clientId: String(interaction.params.client_id),
    });
  if (missing.missingOIDCScope.length > 0) grant.addOIDCScope(missing.missingOIDCScope);
  for (const [resource, scopes] of Object.entries(missing.missingResourceScopes)) {
    grant.addResourceScope(resource, scopes);
  }
  const result = { consent: { grantId: await grant.save() } };
  await provider.interactionFinished(request, response, result);
}

const cancel = (provider: Provider, request: PageRequest, response: ServerResponse) =>
  provider.interactionFinished(
    request,
    response,
    { error: "access_denied", error_description: "The person cancelled." },
    { mergeWithLastSubmission: false },
  );

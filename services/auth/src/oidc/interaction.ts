/**
 * What a person does while a client waits for authorization: signing in, and letting a client in. The
 * signed interaction cookie, which no other site can have sent (SameSite=Lax, path of this interaction),
 * binds each step to the browser that began it.
 */
import type { ServerResponse } from "node:http";
import { invalidRequest } from "@portico/service-kit";
import { type Client, errors, type Interaction, type Provider } from "oidc-provider";
import { z } from "zod";
import { EmailAddress } from "../accounts/account.ts";
import type { Authenticate } from "../accounts/authenticate.ts";
import { GivenPassword } from "../accounts/password.ts";
import type { FormTokens } from "../pages/form-token.ts";
import { type Page, type PageRequest, toHandler } from "../pages/page-handler.ts";
import type { FinishSignIn } from "./finish-sign-in.ts";
import { showContinue, showSignIn } from "./interaction-pages.ts";

const SignInForm = z.object({ email: EmailAddress, password: GivenPassword });

export const interaction = (
  provider: Provider,
  authenticate: Authenticate,
  finishSignIn: FinishSignIn,
  formTokens: FormTokens,
) => {
  const page: Page = {
    route: "/auth/interaction/:uid",
    boundTo: ({ params }) => `interaction ${params?.uid}`,

    async get(request, response, formToken) {
      const { interaction, client } = await load(provider, request, response);
      if (interaction.prompt.name === "login") {
        showSignIn(response, interaction, client, formToken);
      } else if (needsNoQuestion(interaction, client)) {
        await letIn(provider, interaction, request, response);
      } else {
        showContinue(response, interaction, client, formToken);
      }
    },

    async post(request, response, form, formToken) {
      const { interaction, client } = await load(provider, request, response);
      if (form.has("cancel")) {
        await cancel(provider, request, response);
        return;
      }
      if (interaction.prompt.name === "consent") {
        await letIn(provider, interaction, request, response);
        return;
      }
      const given = SignInForm.safeParse(Object.fromEntries(form)).data;
      const account =
        given && (await authenticate({ ...given, address: request.ip ?? "" })).account;
      if (!account) {
        showSignIn(response, interaction, client, formToken, form.get("email") ?? "");
        return;
      }
      await finishSignIn(request, response, { account, amr: ["pwd"] });
    },
  };
  return toHandler(page, formTokens);
};

async function load(
  provider: Provider,
  request: PageRequest,
  response: ServerResponse,
): Promise<{ interaction: Interaction; client: Client }> {
  const interaction = await provider.interactionDetails(request, response).catch(endedWhenLost);
  const client = await provider.Client.find(String(interaction.params.client_id));
  if (!client || interaction.uid !== request.params?.uid) throw ended();
  return { interaction, client };
}

const ended = () =>
  invalidRequest("This sign-in has ended. Go back to the application and start again.");

const endedWhenLost = (error: unknown): never => {
  throw error instanceof errors.SessionNotFound ? ended() : error;
};

/**
 * Every client is the platform's own. Still, a native client's redirect URI may be another program's
 * (RFC 8252 section 8.6), so there the person must have acted: just now by signing in, or by a button.
 */
const needsNoQuestion = (interaction: Interaction, client: Client): boolean =>
  interaction.lastSubmission?.login !== undefined ||
  (client.applicationType === "web" && !interaction.prompt.reasons.includes("consent_prompt"));

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

/** The forms of an interaction that prove, or add, what a password alone does not: codes and passkeys. */
import type { ServerResponse } from "node:http";
import { Problem, tooManyRequests } from "@portico/service-kit";
import type { Provider } from "oidc-provider";
import type { FreshAccounts } from "../accounts/fresh-accounts.ts";
import { offersOf } from "../identity-providers/offers.ts";
import type { Html } from "../pages/html.ts";
import { sendJson } from "../pages/page.ts";
import { type Page, type PageRequest, toHandler } from "../pages/page-handler.ts";
import { wrongFirstCode } from "../second-factor/enrol-authenticator.ts";
import { passkeyRefused } from "../second-factor/passkeys.ts";
import { invalidSecondFactor, methods, together } from "../second-factor/second-factor.ts";
import type { GivenCode } from "../second-factor/verify-code.ts";
import type { InteractionDependencies } from "./interaction.ts";
import {
  type Shown,
  showEnrolment,
  showRecoveryCodes,
  showSecondFactor,
  showSignIn,
} from "./interaction-pages.ts";
import { ended, interactionOf, loadInteraction } from "./load-interaction.ts";
import type { Proved, SignInStep } from "./sign-in-step.ts";

type Dependencies = InteractionDependencies & { freshAccounts: FreshAccounts };

/** As `foreign` handlers of the kit's createApp. */
export const secondStep = (dependencies: Dependencies) =>
  [
    codePage(dependencies),
    passkeyOptionsPage(dependencies),
    passkeyPage(dependencies),
    newAuthenticatorPage(dependencies),
    newPasskeyOptionsPage(dependencies),
    newPasskeyPage(dependencies),
  ].map((page) => toHandler(page, dependencies.formTokens));

type Posted = {
  request: PageRequest;
  shown: Shown;
  step: SignInStep;
  form: URLSearchParams;
};

/** A form of an interaction whose person is still signing in. */
const formOf = (
  { currentProvider, findSignInStep }: Dependencies,
  name: string,
  handle: (posted: Posted) => Promise<void>,
): Page => ({
  route: `/auth/interaction/:uid/${name}`,
  boundTo: interactionOf,

  async post(
    request: PageRequest,
    response: ServerResponse,
    form: URLSearchParams,
    formToken: Html,
  ) {
    const { interaction, client } = await loadInteraction(currentProvider(), request, response);
    if (interaction.prompt.name !== "login") throw ended();
    const step = await findSignInStep(interaction);
    await handle({ request, shown: { response, interaction, client, formToken }, step, form });
  },
});

/** A code of the app, or a recovery code. RFC 8176 has one name for codes that are good for one time. */
const codePage = (dependencies: Dependencies): Page =>
  formOf(dependencies, "second-factor", async ({ request, shown, step, form }) => {
    if (step.name !== "second-factor") throw ended();
    const field = form.has("recoveryCode") ? "recoveryCode" : "otp";
    const given = { [field]: form.get(field) ?? "" } as GivenCode;
    const problem = await problemWith(dependencies, step.proved, given);
    if (problem) showSecondFactor(shown, step.enrolled, { field, problem });
    else await goOn(dependencies, request, shown, step.proved, methods.code);
  });

/** What the page says about a code that does not do; undefined for one that does. */
async function problemWith(
  { secondFactor }: Dependencies,
  { account }: Proved,
  given: GivenCode,
): Promise<Problem | undefined> {
  try {
    return (await secondFactor.verifyCode(account.id, given)) ? undefined : invalidSecondFactor();
  } catch (error) {
    if (error instanceof Problem && error.code === tooManyRequests.code) return error;
    throw error;
  }
}

const passkeyOptionsPage = (dependencies: Dependencies): Page =>
  formOf(dependencies, "passkey-options", async ({ request, shown, step }) => {
    const accountId = step.name === "second-factor" ? step.proved.account.id : undefined;
    const { passkeys } = dependencies.secondFactor;
    sendJson(shown.response, await passkeys.requestOptions(interactionOf(request), accountId));
  });

/** Beside a password it is the second factor; alone it is both. */
const passkeyPage = (dependencies: Dependencies): Page =>
  formOf(dependencies, "passkey", async ({ request, shown, step, form }) => {
    const { passkeys } = dependencies.secondFactor;
    const answer = form.get("passkey") ?? "";
    const known = step.name === "second-factor" ? step.proved.account.id : undefined;
    const owner = await passkeys.use(interactionOf(request), answer, known).catch(asRefusal);
    if (owner instanceof Problem) await showRefusedPasskey(dependencies, shown, step, owner);
    else if (step.name === "second-factor") {
      await goOn(dependencies, request, shown, step.proved, methods.passkey);
    } else {
      await signInAs(dependencies, request, shown, owner);
    }
  });

const asRefusal = (error: unknown): Problem => {
  if (error instanceof Problem && error.code === passkeyRefused.code) return error;
  throw error;
};

async function showRefusedPasskey(
  { identityProviders }: Dependencies,
  shown: Shown,
  step: SignInStep,
  problem: Problem,
): Promise<void> {
  if (step.name === "second-factor") {
    showSecondFactor(shown, step.enrolled, { field: "passkey", problem });
  } else {
    const offers = await offersOf(identityProviders)(shown.interaction);
    showSignIn(shown, offers, { email: "", why: problem.detail, problem });
  }
}

async function signInAs(
  { freshAccounts, finishSignIn }: Dependencies,
  request: PageRequest,
  { response }: Shown,
  accountId: string,
): Promise<void> {
  const account = await freshAccounts.find(accountId);
  if (!account) throw ended();
  const amr = [methods.passkey, methods.several];
  await finishSignIn(request, response, { account, amr });
}

const newAuthenticatorPage = (dependencies: Dependencies): Page =>
  formOf(dependencies, "authenticator", async ({ request, shown, step, form }) => {
    if (step.name !== "enrolment") throw ended();
    const { enrolAuthenticator } = dependencies.secondFactor;
    const { account } = step.proved;
    const sealed = form.get("sealed") ?? "";
    const added = await enrolAuthenticator.confirm(account, sealed, form.get("otp") ?? "");
    if (!added) {
      const offer = enrolAuthenticator.reopen(account, sealed);
      await showEnrolment(shown, offer, wrongFirstCode);
      return;
    }
    await keep(dependencies.currentProvider(), request, shown, step.proved, methods.code);
    showRecoveryCodes(shown, added.recoveryCodes);
  });

const newPasskeyOptionsPage = (dependencies: Dependencies): Page =>
  formOf(dependencies, "new-passkey-options", async ({ request, shown, step }) => {
    if (step.name !== "enrolment") throw ended();
    const { passkeys } = dependencies.secondFactor;
    const options = await passkeys.creationOptions(step.proved.account, interactionOf(request));
    sendJson(shown.response, options);
  });

const newPasskeyPage = (dependencies: Dependencies): Page =>
  formOf(dependencies, "new-passkey", async ({ request, shown, step, form }) => {
    if (step.name !== "enrolment") throw ended();
    const { recoveryCodes } = await dependencies.secondFactor.passkeys.add(
      step.proved.account.id,
      interactionOf(request),
      form.get("passkey") ?? "",
      form.get("name") ?? "",
    );
    await keep(dependencies.currentProvider(), request, shown, step.proved, methods.passkey);
    showRecoveryCodes(shown, recoveryCodes);
  });

const goOn = (
  { finishSignIn }: Dependencies,
  request: PageRequest,
  { response }: Shown,
  proved: Proved,
  second: string,
): Promise<void> =>
  finishSignIn(request, response, { ...proved, amr: together(proved.amr, second) });

/** What was just added was proved by it, too; the person goes on when the recovery codes are kept. */
async function keep(
  provider: Provider,
  request: PageRequest,
  { response }: Shown,
  { account, amr, signedInAt }: Proved,
  second: string,
): Promise<void> {
  const firstFactor = { accountId: account.id, amr: together(amr, second), signedInAt };
  const options = { mergeWithLastSubmission: false };
  await provider.interactionResult(request, response, { firstFactor }, options);
}

/** What people see while a client waits for authorization. */
import type { ServerResponse } from "node:http";
import type { Problem } from "@portico/service-kit";
import type { Client, Interaction } from "oidc-provider";
import type { Offers } from "../identity-providers/offers.ts";
import { type Html, html, join } from "../pages/html.ts";
import { sendPage } from "../pages/page.ts";
import type { OfferedSecret } from "../second-factor/enrol-authenticator.ts";
import {
  addPasskeyForm,
  authenticatorForm,
  codeField,
  problem,
  recoveryCodeList,
  usePasskeyForm,
} from "../second-factor/fragments.ts";
import type { SecondFactors } from "../second-factor/second-factor.ts";

/** One page of one interaction. */
export type Shown = {
  response: ServerResponse;
  interaction: Interaction;
  client: Client;
  formToken: Html;
};

/** What was typed, and why it did not do. */
export type Rejected = { email: string; why: string; problem?: Problem };

export const wrongPassword = "The e-mail address or the password is wrong.";

export function showSignIn(shown: Shown, offers: Offers, rejected?: Rejected): void {
  const { interaction, client, formToken } = shown;
  const email = rejected?.email ?? offers.email ?? String(interaction.params.login_hint ?? "");
  const at = pathOf(interaction);
  show(
    shown,
    "Sign in",
    html`<p>to continue to ${nameOf(client)}</p>
${offers.notice}
<form method="post" action="${at}">
${formToken}
${problem(rejected?.why)}
<label for="email">E-mail address</label>
<input id="email" name="email" type="email" autocomplete="username" required value="${email}"${invalid(rejected)}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required${invalid(rejected)}>
<p class="beside"><a href="/auth/forgot-password">Forgot your password?</a></p>
<button type="submit">Sign in</button>
</form>
${usePasskeyForm({
  action: `${at}/passkey`,
  options: `${at}/passkey-options`,
  label: "Sign in with a passkey",
  formToken,
})}
${offers.buttons}
<p>New here? <a href="/auth/sign-up?interaction=${interaction.uid}">Create an account</a></p>`,
    rejected && (rejected.problem ?? { status: 400 }),
  );
}

const invalid = (rejected: Rejected | undefined): Html | undefined =>
  rejected && html` aria-invalid="true" aria-describedby="wrong"`;

export const showContinue = (shown: Shown): void =>
  show(
    shown,
    "Continue?",
    html`<p>${nameOf(shown.client)} asks to act for you. You are signed in already.</p>
<form method="post" action="${pathOf(shown.interaction)}">
${shown.formToken}
<button type="submit">Continue to ${nameOf(shown.client)}</button>
</form>`,
  );

/** What was wrong with a second factor. */
export type RejectedCode = { field: "otp" | "recoveryCode" | "passkey"; problem: Problem };

export function showSecondFactor(
  shown: Shown,
  enrolled: SecondFactors,
  rejected?: RejectedCode,
): void {
  const wrongIn = (field: RejectedCode["field"]) =>
    rejected?.field === field ? rejected.problem.detail : undefined;
  const { interaction, formToken } = shown;
  const at = pathOf(interaction);
  const code = html`<form method="post" action="${at}/second-factor">
${formToken}
${codeField("Code of your authenticator app", wrongIn("otp"))}
<button type="submit">Continue</button>
</form>`;
  const passkey = usePasskeyForm({
    action: `${at}/passkey`,
    options: `${at}/passkey-options`,
    label: "Use a passkey",
    formToken,
  });
  show(
    shown,
    "Second step",
    join([
      ...(rejected?.field === "passkey" ? [problem(rejected.problem.detail)] : []),
      ...(enrolled.authenticator ? [code] : []),
      ...(enrolled.passkeys.length > 0 ? [passkey] : []),
      recoveryCodeForm(`${at}/second-factor`, formToken, wrongIn("recoveryCode")),
    ]),
    rejected?.problem,
  );
}

const recoveryCodeForm = (action: string, formToken: Html, wrong?: string): Html =>
  html`<details${wrong === undefined ? undefined : html` open`}>
<summary>Use a recovery code</summary>
<form method="post" action="${action}">
${formToken}
${problem(wrong)}
<label for="recoveryCode">Recovery code</label>
<input id="recoveryCode" name="recoveryCode" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="20" required>
<button type="submit">Continue</button>
</form>
</details>`;

export async function showEnrolment(
  shown: Shown,
  offer: OfferedSecret,
  wrong?: string,
): Promise<void> {
  const { interaction, formToken } = shown;
  const at = pathOf(interaction);
  const app = await authenticatorForm({ action: `${at}/authenticator`, formToken }, offer, wrong);
  const passkey = addPasskeyForm({
    action: `${at}/new-passkey`,
    options: `${at}/new-passkey-options`,
    label: "Add a passkey instead",
    formToken,
  });
  show(
    shown,
    "Add a second factor",
    html`<p>To go on you need more than your password.</p>
${app}
${passkey}`,
    wrong === undefined ? {} : { status: 400 },
  );
}

export const showRecoveryCodes = (shown: Shown, codes: readonly string[]): void =>
  show(
    shown,
    "Recovery codes",
    html`${recoveryCodeList(codes)}
<p><a class="button" href="${pathOf(shown.interaction)}">I have kept them: continue</a></p>`,
  );

export const nameOf = (client: Client): string => client.clientName ?? client.clientId;

export const pathOf = ({ uid }: Interaction): string => `/auth/interaction/${uid}`;

/** A problem with what was sent before gives its status, and its headers. */
type Outcome = Partial<Pick<Problem, "status" | "headers">>;

/** With a way to cancel. */
export function show(shown: Shown, title: string, content: Html, outcome: Outcome = {}): void {
  const { response, interaction, formToken } = shown;
  const { status = 200, headers = {} } = outcome;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const cancel = html`<form method="post" action="${pathOf(interaction)}">
${formToken}
<button type="submit" class="quiet" name="cancel" value="yes">Cancel</button>
</form>`;
  sendPage(response, title, join([content, cancel]), {
    status,
    formTargets: targetsOf(interaction),
    forPasskeys: true,
  });
}

/** Where the client gets its answer, as a CSP source; CSP has no notation for IPv6 addresses. */
function targetsOf({ params }: Interaction): string[] {
  const target = URL.parse(String(params.redirect_uri));
  if (!target) return [];
  const { origin, protocol } = target;
  return [origin === "null" || origin.includes("[") ? protocol : origin];
}

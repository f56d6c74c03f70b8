import type { ServerResponse } from "node:http";
import type { Client, Interaction } from "oidc-provider";
import { type Html, html } from "../pages/html.ts";
import { sendPage } from "../pages/page.ts";

/** @param rejectedEmail what was typed when address and password did not belong together */
export function showSignIn(
  response: ServerResponse,
  interaction: Interaction,
  client: Client,
  formToken: Html,
  rejectedEmail?: string,
): void {
  const email = rejectedEmail ?? String(interaction.params.login_hint ?? "");
  const wrong = html`<p class="wrong" role="alert">The e-mail address or the password is wrong.</p>`;
  show(
    response,
    interaction,
    "Sign in",
    html`${formToken}
<p>to continue to ${nameOf(client)}</p>
${rejectedEmail === undefined ? undefined : wrong}
<label for="email">E-mail address</label>
<input id="email" name="email" type="email" autocomplete="username" required value="${email}">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button type="submit">Sign in</button>`,
    rejectedEmail === undefined ? 200 : 400,
  );
}

export const showContinue = (
  response: ServerResponse,
  interaction: Interaction,
  client: Client,
  formToken: Html,
): void =>
  show(
    response,
    interaction,
    "Continue?",
    html`${formToken}
<p>${nameOf(client)} asks to act for you. You are signed in already.</p>
<button type="submit">Continue to ${nameOf(client)}</button>`,
  );

const nameOf = (client: Client): string => client.clientName ?? client.clientId;

function show(
  response: ServerResponse,
  interaction: Interaction,
  title: string,
  fields: Html,
  status = 200,
): void {
  const form = html`<form method="post" action="/auth/interaction/${interaction.uid}">
${fields}
<button type="submit" class="second" name="cancel" value="yes" formnovalidate>Cancel</button>
</form>`;
  sendPage(response, title, form, { status, formTargets: [targetOf(interaction)] });
}

/** Where the client gets its answer, as a CSP source; CSP has no notation for IPv6 addresses. */
function targetOf({ params }: Interaction): string {
  const { origin, protocol } = new URL(String(params.redirect_uri));
  return origin === "null" || origin.includes("[") ? protocol : origin;
}

/** How somebody signs in: what may be changed only right after a sign-in. */
import type { AccountStore } from "../accounts/account-store.ts";
import type { IdentityProviders } from "../identity-providers/create-identity-providers.ts";
import type { LinkedIdentity } from "../identity-providers/linked-identity.ts";
import { linkPathOf } from "../identity-providers/paths.ts";
import { type Html, html, join } from "../pages/html.ts";
import type { EnrolAuthenticator } from "../second-factor/enrol-authenticator.ts";
import { addPasskeyForm, authenticatorForm, marked, problem } from "../second-factor/fragments.ts";
import { isEnrolled, type Passkey } from "../second-factor/second-factor.ts";
import { accountPath } from "./account-client.ts";
import { button, section, showBelow, time } from "./fragments.ts";
import { noticeOf } from "./notices.ts";
import type { Visit, VisitorPage } from "./visitor-page.ts";

export type SecurityDependencies = {
  accounts: Pick<AccountStore, "hasPassword">;
  identityProviders: Pick<IdentityProviders, "identities" | "federation">;
  enrolAuthenticator: EnrolAuthenticator;
};

/** What was wrong with a form of the page: said beside that form. */
export type Wrong = {
  form: "password" | "authenticator" | "passkey" | "identities" | "removal";
  why: string;
  status: number;
  /** The offer that the person's app has already. */
  sealed?: string;
};

type Shown = Visit & { wrongIn(form: Wrong["form"]): string | undefined };

export type ShowSecurity = (visit: Visit, wrong?: Wrong) => Promise<void>;

export const securityPage = (show: ShowSecurity): VisitorPage => ({
  path: "/security",
  recently: true,
  returnTo: "/security",
  get: (visit) => show(visit),
});

export const showSecurityWith =
  (dependencies: SecurityDependencies): ShowSecurity =>
  async (visit, wrong) => {
    const { account } = visit.visitor;
    const { accounts, identityProviders } = dependencies;
    const wrongIn = (form: Wrong["form"]) => (wrong?.form === form ? wrong.why : undefined);
    const shown = { ...visit, wrongIn };
    const [hasPassword, identities, authenticator] = await Promise.all([
      accounts.hasPassword(account.id),
      identityProviders.identities.listOf(account.id),
      authenticatorSection(shown, dependencies.enrolAuthenticator, wrong?.sealed),
    ]);
    const content = join([
      noticeOf(visit.request.url),
      problem(wrongIn("removal")),
      hasPassword ? passwordSection(shown) : noPasswordSection(),
      authenticator,
      passkeySection(shown),
      recoveryCodeSection(shown),
      identitySection(shown, identities, identityProviders.federation.offered()),
    ]);
    const options = { status: wrong?.status ?? 200, forPasskeys: true };
    showBelow(visit.response, "How you sign in", content, options);
  };

const passwordSection = ({ visitor, formToken, wrongIn }: Shown): Html => {
  const wrong = wrongIn("password");
  return section(
    "password-title",
    "Password",
    html`<form method="post" action="${accountPath}/password">
${formToken}
${problem(wrong)}
<input type="text" name="username" autocomplete="username" value="${visitor.account.email}" hidden>
<label for="currentPassword">Current password</label>
<input id="currentPassword" name="currentPassword" type="password" autocomplete="current-password" required${marked(wrong)}>
<label for="password">New password</label>
<input id="password" name="password" type="password" autocomplete="new-password" minlength="8" required aria-describedby="hint">
<p class="hint" id="hint">At least 8 characters. You are signed out everywhere, here too, and sign in with the new one.</p>
<button type="submit" class="second">Change the password</button>
</form>`,
  );
};

const noPasswordSection = (): Html =>
  section(
    "password-title",
    "Password",
    html`<p>You have none: you sign in with a linked identity or a passkey.</p>
<p><a class="button second" href="/auth/forgot-password">Mail me a link to choose one</a></p>`,
  );

async function authenticatorSection(
  { visitor, formToken, wrongIn }: Shown,
  enrolAuthenticator: EnrolAuthenticator,
  sealed: string | undefined,
): Promise<Html> {
  const { account, enrolled } = visitor;
  if (enrolled.authenticator) {
    return section(
      "authenticator-title",
      "Authenticator app",
      html`<p>Added ${time(enrolled.authenticator.addedAt)}.</p>
${button("/authenticator/remove", formToken, "Remove the app")}`,
    );
  }
  const offer = sealed
    ? enrolAuthenticator.reopen(account, sealed)
    : enrolAuthenticator.offer(account);
  const wrong = wrongIn("authenticator");
  const form = await authenticatorForm(
    { action: `${accountPath}/authenticator`, formToken },
    offer,
    wrong,
  );
  return section(
    "authenticator-title",
    "Authenticator app",
    html`<details${wrong === undefined ? undefined : html` open`}>
<summary>Add an authenticator app</summary>
${form}
</details>`,
  );
}

const passkeySection = ({ visitor, formToken, wrongIn }: Shown): Html =>
  section(
    "passkeys-title",
    "Passkeys",
    html`${problem(wrongIn("passkey"))}
${visitor.enrolled.passkeys.length > 0 ? html`<ul class="list">${join(visitor.enrolled.passkeys.map((passkey) => passkeyItem(passkey, formToken)))}</ul>` : html`<p>A passkey signs you in with your fingerprint, your face or the PIN of a device.</p>`}
<noscript><p>Adding a passkey needs JavaScript.</p></noscript>
${addPasskeyForm({
  action: `${accountPath}/passkeys`,
  options: `${accountPath}/passkeys/options`,
  label: "Add a passkey",
  formToken,
})}`,
  );

const passkeyItem = ({ id, name, addedAt, usedAt }: Passkey, formToken: Html): Html => html`<li>
<div><strong>${name}</strong>
<div class="quiet">added ${time(addedAt)}<br>${usedAt ? html`last used ${time(usedAt)}` : "never used"}</div></div>
${button("/passkeys/remove", formToken, "Remove", {
  label: `Remove the passkey ${name}`,
  fields: html`<input type="hidden" name="passkey" value="${id}">`,
})}
</li>`;

const recoveryCodeSection = ({ visitor: { enrolled }, formToken }: Shown): Html =>
  isEnrolled(enrolled)
    ? section(
        "codes-title",
        "Recovery codes",
        html`<p>${String(enrolled.recoveryCodesLeft)} left. New ones replace them.</p>
${button("/recovery-codes", formToken, "Make new recovery codes")}`,
      )
    : html``;

type Provider = { id: string; name: string };

const identitySection = (
  { formToken, wrongIn }: Shown,
  identities: readonly LinkedIdentity[],
  providers: readonly Provider[],
): Html => {
  if (identities.length === 0 && providers.length === 0) return html``;
  const nameOf = (providerId: string) =>
    providers.find(({ id }) => id === providerId)?.name ?? providerId;
  const links = providers.map(
    ({ id, name }) => html`<form method="post" action="${linkPathOf(id)}" class="small">
${formToken}
<button type="submit" class="second">Link ${name}</button>
</form>`,
  );
  return section(
    "identities-title",
    "Linked identities",
    html`${problem(wrongIn("identities"))}
${identities.length > 0 ? html`<ul class="list">${join(identities.map((one) => identityItem(one, nameOf, formToken)))}</ul>` : undefined}
${join(links)}`,
  );
};

const identityItem = (
  { id, providerId, email, usedAt }: LinkedIdentity,
  nameOf: (providerId: string) => string,
  formToken: Html,
): Html => html`<li>
<div><strong>${nameOf(providerId)}</strong> ${email}
<div class="quiet">${usedAt ? html`last used ${time(usedAt)}` : "never used"}</div></div>
${button("/identities/unlink", formToken, "Unlink", {
  label: `Unlink ${nameOf(providerId)}`,
  fields: html`<input type="hidden" name="identity" value="${id}">`,
})}
</li>`;

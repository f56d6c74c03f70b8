/** The account page itself: everything about an account at a glance, and what may be done at any time. */
import type { AccountStore } from "../accounts/account-store.ts";
import type { Consent } from "../consent/consent.ts";
import type { ConsentStore } from "../consent/consent-store.ts";
import { wordsFor } from "../consent/scope-words.ts";
import type { IdentityProviders } from "../identity-providers/create-identity-providers.ts";
import { type Html, html, join } from "../pages/html.ts";
import { sendPage } from "../pages/page.ts";
import { isEnrolled } from "../second-factor/second-factor.ts";
import type { Session } from "../sessions/session.ts";
import type { SessionStore } from "../sessions/session-store.ts";
import { accountPath } from "./account-client.ts";
import { deviceName } from "./device-name.ts";
import { button, section, time } from "./fragments.ts";
import { noticeOf } from "./notices.ts";
import type { Visitor } from "./visitor.ts";
import type { Visit, VisitorPage } from "./visitor-page.ts";

export type OverviewDependencies = {
  accounts: Pick<AccountStore, "hasPassword">;
  sessions: Pick<SessionStore, "list">;
  consents: Pick<ConsentStore, "listOf">;
  identityProviders: Pick<IdentityProviders, "identities">;
  /** What people know a client by. */
  clientName(clientId: string): Promise<string>;
};

type Shown = {
  visitor: Visitor;
  formToken: Html;
  hasPassword: boolean;
  sessions: Session[];
  consents: Consent[];
  linkedIdentities: number;
  nameOf(clientId: string): string;
};

export const overviewPage = (dependencies: OverviewDependencies): VisitorPage => ({
  path: "",
  returnTo: "",

  async get({ visitor, request, response, formToken }: Visit) {
    const found = await gather(dependencies, visitor);
    const shown = { ...found, visitor, formToken };
    const content = join([
      noticeOf(request.url),
      ...[profile, signingIn, sessionList, applicationList, personalData].map((part) =>
        part(shown),
      ),
      html`<p class="back"><a href="/auth/session/end">Sign out</a></p>`,
    ]);
    sendPage(response, "Your account", content, { wide: true });
  },
});

async function gather(dependencies: OverviewDependencies, { account }: Visitor) {
  const { accounts, identityProviders } = dependencies;
  const [hasPassword, sessions, consents, identities] = await Promise.all([
    accounts.hasPassword(account.id),
    dependencies.sessions.list(account.id),
    dependencies.consents.listOf(account.id),
    identityProviders.identities.listOf(account.id),
  ]);
  const clientIds = [...sessions.flatMap(({ clients }) => clients), ...consents.map(clientOf)];
  const names = new Map(
    await Promise.all(
      [...new Set(clientIds)].map(async (id) => [id, await dependencies.clientName(id)] as const),
    ),
  );
  const nameOf = (clientId: string) => names.get(clientId) ?? clientId;
  return { hasPassword, sessions, consents, linkedIdentities: identities.length, nameOf };
}

const clientOf = ({ clientId }: Consent): string => clientId;

const profile = ({ visitor: { account }, formToken }: Shown): Html =>
  section(
    "profile",
    "Profile",
    html`<form method="post" action="${accountPath}/profile">
${formToken}
<label for="name">Name</label>
<input id="name" name="name" autocomplete="name" maxlength="100" value="${account.name ?? ""}">
<button type="submit" class="second">Save the name</button>
</form>
<p><strong>E-mail address:</strong> ${account.email}
${account.emailVerified ? html`<span class="good">verified</span>` : html`<span class="bad">not verified yet</span>`}</p>
${account.emailVerified ? undefined : button("/verification", formToken, "Send the link again")}`,
  );

const signingIn = ({ visitor: { enrolled }, hasPassword, linkedIdentities }: Shown): Html =>
  section(
    "security",
    "How you sign in",
    html`<ul class="facts">
<li><strong>Password:</strong> ${hasPassword ? "set" : "none"}</li>
<li><strong>Authenticator app:</strong> ${enrolled.authenticator ? "added" : "none"}</li>
<li><strong>Passkeys:</strong> ${String(enrolled.passkeys.length)}</li>
<li><strong>Linked identities:</strong> ${String(linkedIdentities)}</li>
${isEnrolled(enrolled) ? html`<li><strong>Recovery codes left:</strong> ${String(enrolled.recoveryCodesLeft)}</li>` : undefined}
</ul>
<p><a class="button second" href="${accountPath}/security">Change how you sign in</a></p>`,
  );

const sessionList = ({ visitor, formToken, sessions, nameOf }: Shown): Html => {
  const others = sessions.filter(({ id }) => id !== visitor.sessionUid);
  return section(
    "sessions",
    "Where you are signed in",
    html`<ul class="list">
${join(sessions.map((session) => sessionItem(session, visitor, formToken, nameOf)))}
</ul>
${others.length > 0 ? button("/sessions/end-others", formToken, "Sign out everywhere else") : undefined}`,
  );
};

const sessionItem = (
  { id, device, clients, lastUsedAt }: Session,
  { sessionUid }: Visitor,
  formToken: Html,
  nameOf: (clientId: string) => string,
): Html => {
  const name = deviceName(device);
  const end = button("/sessions/end", formToken, "Sign out", {
    label: `Sign out ${name}`,
    fields: html`<input type="hidden" name="session" value="${id}">`,
  });
  return html`<li>
<div><strong>${name}</strong> ${id === sessionUid ? html`<span class="good">this browser</span>` : undefined}
<div class="quiet">${[...new Set(clients)].map(nameOf).join(", ")}<br>last used ${time(lastUsedAt)}</div></div>
${id === sessionUid ? undefined : end}
</li>`;
};

const applicationList = ({ formToken, consents, nameOf }: Shown): Html => {
  if (consents.length === 0) return html``;
  const items = consents.map(
    ({ clientId, scopes, givenAt }) => html`<li>
<div><strong>${nameOf(clientId)}</strong>
<div class="quiet">${scopes.map((scope) => wordsFor[scope] ?? scope).join(", ")}<br>since ${time(givenAt)}</div></div>
${button("/applications/withdraw", formToken, "Take back", {
  label: `Take back what ${nameOf(clientId)} may do`,
  fields: html`<input type="hidden" name="client" value="${clientId}">`,
})}
</li>`,
  );
  return section(
    "applications",
    "Applications that you have let in",
    html`<ul class="list">${join(items)}</ul>`,
  );
};

const personalData = (): Html =>
  section(
    "data",
    "Your data",
    html`<p><a class="button second" href="${accountPath}/export">Take your data with you</a></p>
<p><a class="button second" href="${accountPath}/delete">Delete your account</a></p>`,
  );

import { nameOf, pathOf, type Shown, show } from "../oidc/interaction-pages.ts";
import { html, join } from "../pages/html.ts";
import { askedScopes } from "./consent.ts";
import { wordsFor } from "./scope-words.ts";

/** What an application that is not the platform's own wants, in words; with a way to say no. */
export function showConsent(shown: Shown): void {
  const { client, interaction, formToken } = shown;
  const wishes = askedScopes(interaction).map(
    (scope) => html`<li>${wordsFor[scope] ?? scope}</li>`,
  );
  show(
    shown,
    `Allow ${nameOf(client)}?`,
    html`<p><strong>${nameOf(client)}</strong> is not part of Portico. It wants to:</p>
<ul>
${join(wishes)}
</ul>
<p>${whereTo(interaction.params.redirect_uri)}You can take this back at any time.</p>
<form method="post" action="${pathOf(interaction)}">
${formToken}
<button type="submit">Allow</button>
</form>`,
  );
}

/** So that a name that anybody could have chosen is not all there is to go by. */
function whereTo(redirectUri: unknown): string {
  const target = URL.parse(String(redirectUri));
  return target?.host ? `You will go on to ${target.host}. ` : "";
}

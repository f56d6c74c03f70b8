/** The part of the sign-in page that is about other identity providers. */
import type { Interaction } from "oidc-provider";
import { type Html, html, join } from "../pages/html.ts";
import type { IdentityProviders } from "./create-identity-providers.ts";
import { startPathOf } from "./paths.ts";

export type Offers = {
  /** Why somebody who comes from a provider is asked to sign in here; nothing for all others. */
  notice: Html;
  /** The address that the page fills in for them. */
  email: string | undefined;
  buttons: Html;
};

type FindOffers = (interaction: Interaction) => Promise<Offers>;

export const offersOf =
  ({
    federation,
    pendingLinks,
  }: Pick<IdentityProviders, "federation" | "pendingLinks">): FindOffers =>
  async (interaction) => {
    const pending = await pendingLinks.find(interaction);
    // Links rather than forms: a form may lead to no other site (CSP `form-action`), and these tell nothing.
    const buttons = federation
      .offered()
      .map(
        ({ id, name }) =>
          html`<a class="button second" href="${startPathOf(interaction.uid, id)}">Continue with ${name}</a>`,
      );
    return {
      notice: pending
        ? html`<p class="notice" role="status">${pending.email} has an account here already. Sign in to it as before, and from then on ${pending.providerName} opens it too.</p>`
        : html``,
      email: pending?.email,
      buttons: buttons.length > 0 ? html`<div class="providers">${join(buttons)}</div>` : html``,
    };
  };

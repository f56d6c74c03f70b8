import type { Client, Interaction } from "oidc-provider";
import { askedScopes, isThirdParty, type Question, questionFor } from "./consent.ts";
import type { ConsentStore } from "./consent-store.ts";

/** Whether a person has to be asked, and what they answered. */
export type AskConsent = {
  question(interaction: Interaction, client: Client): Promise<Question>;
  /** The person said yes. */
  given(interaction: Interaction, client: Client): Promise<void>;
};

export function askConsentWith(consents: Pick<ConsentStore, "find" | "add">): AskConsent {
  const accountOf = ({ session }: Interaction) => session?.accountId ?? "";
  return {
    async question(interaction, client) {
      if (!isThirdParty(client)) return questionFor(interaction, client, []);
      const allowed = await consents.find(accountOf(interaction), client.clientId);
      return questionFor(interaction, client, allowed);
    },

    async given(interaction, client) {
      if (!isThirdParty(client)) return;
      await consents.add(accountOf(interaction), client.clientId, askedScopes(interaction));
    },
  };
}

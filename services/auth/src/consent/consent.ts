/**
 * Consent: what a person has allowed an application that is not the platform's own. The platform's own
 * clients need none. It is remembered until the person takes it back, so that nobody is asked the same
 * twice; what a client asks for beyond it is asked. What the person's roles permit is not decided here.
 */
import type { Client, Interaction } from "oidc-provider";
import { everyScope } from "../roles/role.ts";

export type Consent = { clientId: string; scopes: string[]; givenAt: Date };

/** What a person is asked before a client gets its answer. */
export type Question = "none" | "continue" | "consent";

/** Those that there are; whatever else a client asks for, it gets nothing for it. */
export const askedScopes = ({ params }: Interaction): string[] => {
  const asked = new Set(String(params.scope ?? "").split(" "));
  return everyScope.filter((scope) => asked.has(scope));
};

export const isThirdParty = (client: Client): boolean => client.third_party === true;

/** @param allowed scopes that the person allowed the client before */
export function questionFor(
  interaction: Interaction,
  client: Client,
  allowed: readonly string[],
): Question {
  const { reasons } = interaction.prompt;
  const mustAsk = reasons.includes("consent_prompt");
  const isAllowed = askedScopes(interaction).every((scope) => allowed.includes(scope));
  if (isThirdParty(client) && (mustAsk || !isAllowed)) return "consent";
  return hasActed(interaction) || (client.applicationType === "web" && !mustAsk)
    ? "none"
    : "continue";
}

/**
 * A native client's redirect URI may be another program's (RFC 8252 section 8.6), so there the person
 * must have acted: just now by signing in, by saying that a device is theirs, or else by a button.
 */
const hasActed = ({ lastSubmission, deviceCode }: Interaction): boolean =>
  lastSubmission?.login !== undefined || deviceCode !== undefined;

import { localUrl, type PlatformSettings } from "./platform-settings.ts";

/** The sandbox's identity provider, as auth is told of it: one that people may sign in with. */
export interface IdentityProvider {
  id: string;
  name: string;
  issuer: string;
  clientId: string;
  clientSecret: string;
  parameters: Record<string, string>;
}

type Known = Pick<PlatformSettings, "configuration" | "ports" | "secrets">;

export function identityProviderOf(settings: Known): IdentityProvider {
  return {
    id: "sandbox",
    name: "Sandbox ID",
    issuer: localUrl(settings, settings.ports.identityProvider),
    clientId: "portico",
    clientSecret: settings.secrets.IDENTITY_PROVIDER_CLIENT_SECRET,
    // Whoever tries things out wants to be somebody else the next time.
    parameters: { prompt: "select_account" },
  };
}

/** Where it takes people back: an address of auth for each provider. */
export function redirectUriOf({ issuer }: PlatformSettings, { id }: IdentityProvider): string {
  return `${issuer}/identity-providers/${id}/callback`;
}

/**
 * The one resource server: all of the platform's services together, behind one audience. A token for it
 * carries the scopes that the client was granted and the person's roles permit, both as they are when
 * the token is made: a role that comes or goes shows with the next token.
 */
import { errors, type KoaContextWithOIDC, type ResourceServer } from "oidc-provider";
import { everyScope, scopesPermitted } from "../roles/role.ts";
import type { OidcAccountOfOurs } from "./account-claims.ts";

export const accessTokenLifetimeS = 600;

export const resourceServer = (audience: string, scopes: readonly string[]): ResourceServer => ({
  audience,
  scope: scopes.join(" "),
  accessTokenTTL: accessTokenLifetimeS,
  accessTokenFormat: "jwt",
  jwt: { sign: { alg: "ES256" } },
});

/** For the protocol library, which asks at each authorization request and again for each token. */
export const resourceServerOf =
  (audience: string) =>
  (ctx: KoaContextWithOIDC, resource: string): ResourceServer => {
    if (resource !== audience) throw new errors.InvalidTarget();
    return resourceServer(audience, scopesFor(ctx));
  };

function scopesFor({ oidc }: KoaContextWithOIDC): readonly string[] {
  // A client that speaks for itself has what it is registered with, and nothing by default.
  if (oidc.params?.grant_type === "client_credentials") {
    return oidc.client?.scope?.split(" ") ?? [];
  }
  // Who will sign in is not known at an authorization request: cut when the token is made.
  if (!oidc.account) return everyScope;
  return scopesPermitted((oidc.account as OidcAccountOfOurs).stored.roles);
}

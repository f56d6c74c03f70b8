/**
 * The one resource server (RFC 8707): all of the platform's services together, behind one audience. What
 * keeps a token for posts from patients is its scope, which a client asks for and a person grants; an
 * audience for each service would make every client that calls two of them hold two tokens. A token
 * carries the scopes that the client is registered for, was granted, and the person's roles permit, all
 * as they are when the token is made: a role that comes or goes shows with the next token.
 */
import { errors, type KoaContextWithOIDC, type ResourceServer } from "oidc-provider";
import { everyScope, scopesOfServices, scopesPermitted } from "../roles/role.ts";
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

/** What the client is registered for now, and who it speaks for may do now. */
function scopesFor({ oidc }: KoaContextWithOIDC): readonly string[] {
  const registered = oidc.client?.scope?.split(" ") ?? [];
  const permitted = permittedTo(oidc);
  return registered.filter((scope) => permitted.includes(scope));
}

function permittedTo({ params, account }: KoaContextWithOIDC["oidc"]): readonly string[] {
  // A client that speaks for itself is nobody that OpenID Connect could tell about.
  if (params?.grant_type === "client_credentials") return scopesOfServices;
  // Who will sign in is not known at an authorization request: cut when the token is made.
  if (!account) return everyScope;
  return scopesPermitted((account as OidcAccountOfOurs).stored.roles);
}

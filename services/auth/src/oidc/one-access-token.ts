/**
 * One access token serves the services and userinfo: its `aud` names both. The protocol library signs
 * such a token but does not take it at userinfo, where it looks for stored tokens without audience. So
 * it is told, in two places: what the JWT says, and how a JWT is found again. See docs/decisions/0003.
 */
import type {
  AccessToken,
  ClientCredentials,
  JWTStructured,
  KoaContextWithOIDC,
  Provider,
} from "oidc-provider";
import type { AccessTokenClaims, ReadAccessToken } from "./read-access-token.ts";

export const userinfoAudience = (issuer: string): string => `${issuer}/userinfo`;

/**
 * Adds to a person's token what userinfo needs to know: that it is meant, and under which grant (Grant
 * Management's name), which is also what ends the token when the person signs out.
 */
export const nameUserinfo =
  (issuer: string) =>
  (
    _ctx: KoaContextWithOIDC,
    token: AccessToken | ClientCredentials,
    { payload }: JWTStructured,
  ): void => {
    if (!("grantId" in token)) return;
    payload.grant_id = token.grantId;
    if (token.scopes.has("openid")) payload.aud = [payload.aud, userinfoAudience(issuer)];
  };

/**
 * Lets `AccessToken.find` find our own JWTs, which are kept nowhere: what they say is what would have
 * been kept. The library then loads client, account and grant, so a revoked grant is refused at once.
 */
export function findByReading(provider: Provider, read: ReadAccessToken): void {
  const find = async (value: string): Promise<AccessToken | undefined> => {
    const claims = await read(value);
    const { grant_id: grantId, aud = [] } = claims ?? {};
    if (!claims || !grantId || !aud.includes(userinfoAudience(provider.issuer))) return undefined;
    return toAccessToken(provider, claims, grantId);
  };
  Object.defineProperty(provider.AccessToken, "find", { value: find });
}

async function toAccessToken(
  provider: Provider,
  { jti, iat, exp, scope, ...claims }: AccessTokenClaims,
  grantId: string,
): Promise<AccessToken | undefined> {
  const client = await provider.Client.find(claims.client_id);
  if (!client) return undefined;
  return new provider.AccessToken({
    client,
    jti,
    iat,
    exp,
    scope,
    accountId: claims.sub,
    grantId,
    jkt: claims.cnf?.jkt,
    gty: "jwt",
  });
}

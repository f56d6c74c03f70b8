/**
 * One access token serves the services and userinfo: its `aud` names both. The protocol library signs
 * such a token but does not take it at userinfo, where it looks for stored tokens without audience. So
 * it is told, in two places: what the JWT says, and how a JWT is found again. See docs/decisions/0003.
 */
import type { VerifyAccessToken } from "@portico/service-kit";
import type {
  AccessToken,
  ClientCredentials,
  JWTStructured,
  KoaContextWithOIDC,
  Provider,
} from "oidc-provider";
import { z } from "zod";

export const userinfoAudience = (issuer: string): string => `${issuer}/userinfo`;

/** Adds what userinfo needs to know: that it is meant, and under which grant (Grant Management's name). */
export const nameUserinfo =
  (issuer: string) =>
  (
    _ctx: KoaContextWithOIDC,
    token: AccessToken | ClientCredentials,
    { payload }: JWTStructured,
  ): void => {
    if (!("grantId" in token) || !token.scopes.has("openid")) return;
    payload.aud = [payload.aud, userinfoAudience(issuer)];
    payload.grant_id = token.grantId;
  };

const Claims = z.object({
  jti: z.string(),
  sub: z.string(),
  client_id: z.string(),
  scope: z.string(),
  grant_id: z.string(),
  iat: z.number(),
  exp: z.number(),
  cnf: z.object({ jkt: z.string().optional() }).default({}),
});

/**
 * Lets `AccessToken.find` find our own JWTs, which are kept nowhere: what they say, once verified for
 * userinfo, is what would have been kept. The library then loads client, account and grant, so a
 * revoked grant is refused at once.
 */
export function findByVerifying(provider: Provider, verify: VerifyAccessToken): void {
  const find = async (value: string): Promise<AccessToken | undefined> => {
    const verified = await verify(value).then(
      () => true,
      (error: { status?: number }) => {
        if (error.status === 401) return false;
        throw error;
      },
    );
    return verified ? toAccessToken(provider, value) : undefined;
  };
  Object.defineProperty(provider.AccessToken, "find", { value: find });
}

async function toAccessToken(provider: Provider, jwt: string): Promise<AccessToken | undefined> {
  const claims = Claims.safeParse(payloadOf(jwt)).data;
  const client = claims && (await provider.Client.find(claims.client_id));
  if (!client) return undefined;
  const { jti, iat, exp, scope } = claims;
  return new provider.AccessToken({
    client,
    jti,
    iat,
    exp,
    scope,
    accountId: claims.sub,
    grantId: claims.grant_id,
    jkt: claims.cnf.jkt,
    gty: "jwt",
  });
}

const payloadOf = (jwt: string): unknown =>
  JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString());

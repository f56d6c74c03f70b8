/**
 * Introspection (RFC 7662) and revocation (RFC 7009) of our access tokens. The protocol library keeps
 * no JWT, so it judges none: it authenticates the client, and answers `unsupported_token_type`. That is
 * where we go on.
 */
import type { Client, KoaContextWithOIDC, Provider } from "oidc-provider";
import type { Revoke } from "../revocation/revoke.ts";
import type { AccessTokenClaims, ReadAccessToken } from "./read-access-token.ts";

export function judgeJwts(
  provider: Provider,
  read: ReadAccessToken,
  revoke: Pick<Revoke, "token">,
): void {
  provider.use(async (ctx: KoaContextWithOIDC, next) => {
    await next();
    const { client, params, route } = ctx.oidc ?? {};
    if (!client || !isUnsupportedTokenType(ctx.body)) return;
    const token = await readFor(client, String(params?.token));
    ctx.status = 200;
    if (route === "introspection") {
      ctx.body = token && (await isGranted(token)) ? introspection(token) : { active: false };
      return;
    }
    // RFC 7009 section 2.2: a token that is not good (any more) is revoked, as far as a client cares.
    if (token && token.client_id === client.clientId) await revoke.token(token.jti);
    ctx.body = "";
  });

  /** RFC 7662 section 4: a client learns about its own tokens; a resource server, about all it may get. */
  const readFor = async (client: Client, value: string): Promise<AccessTokenClaims | undefined> => {
    const token = await read(value);
    const mayKnow = token?.client_id === client.clientId || client.resource_server === true;
    return mayKnow ? token : undefined;
  };

  /** Revoked grants are on the list of revocations; those that have ended by themselves are not. */
  const isGranted = async ({ grant_id }: AccessTokenClaims): Promise<boolean> =>
    grant_id === undefined || (await provider.Grant.find(grant_id)) !== undefined;
}

const isUnsupportedTokenType = (body: unknown): boolean =>
  typeof body === "object" &&
  body !== null &&
  "error" in body &&
  body.error === "unsupported_token_type";

const introspection = (claims: AccessTokenClaims) => ({
  ...claims,
  active: true,
  token_type: claims.cnf?.jkt ? "DPoP" : "Bearer",
});

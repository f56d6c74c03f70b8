import type { AccessToken, KoaContextWithOIDC, Account as OidcAccount } from "oidc-provider";
import type { Account } from "../accounts/account.ts";
import { levelOf } from "../second-factor/second-factor.ts";

/** OpenID Connect Core section 5.4: which scope releases which claims about a person. */
export const claimsByScope = {
  // Those beside `sub` tell of the sign-in, and stand in ID tokens (section 2).
  openid: ["sub", "auth_time", "acr", "amr"],
  email: ["email", "email_verified"],
  profile: ["name"],
};

/** An account as the protocol library sees it; it picks what the granted scopes release. */
export type OidcAccountOfOurs = OidcAccount & { stored: Account };

export const toOidcAccount = (account: Account): OidcAccountOfOurs => ({
  accountId: account.id,
  stored: account,
  claims: () => ({
    sub: account.id,
    email: account.email,
    email_verified: account.emailVerified,
    ...(account.name !== null && { name: account.name }),
  }),
});

/**
 * The account by whose roles the token's scopes were chosen. Its version must be of that same moment: a
 * newer one would let scopes through that were taken away in between.
 */
export function accountBehind(ctx: KoaContextWithOIDC | undefined, token: AccessToken) {
  const own = token as { account?: OidcAccount };
  const { stored } = (own.account ?? ctx?.oidc.account ?? {}) as Partial<OidcAccountOfOurs>;
  return stored?.id === token.accountId ? stored : undefined;
}

/** Our own claims of an access token, beside those of RFC 9068. */
export const accessTokenClaims = (account: Account) => ({
  roles: account.roles,
  email_verified: account.emailVerified,
  account_version: account.tokenVersion,
  ...(account.premiumUntil && {
    premium_until: Math.floor(account.premiumUntil.getTime() / 1000),
  }),
});

/** Of a token that `POST /auth/sign-in` answers: made in the moment of the sign-in. */
export const signInGrantType = "sign_in";

/**
 * RFC 9068 section 2.2.1: when and how the person signed in. What the token is made from says so, and
 * says the same after every refresh.
 */
export function authenticationClaims(
  ctx: KoaContextWithOIDC | undefined,
  token: Pick<AccessToken, "gty"> & { amr?: readonly string[] },
  now: () => number = Date.now,
) {
  if (token.gty === signInGrantType) {
    return { auth_time: Math.floor(now() / 1000), acr: levelOf(token.amr), amr: token.amr };
  }
  const { RotatedRefreshToken, RefreshToken, AuthorizationCode, DeviceCode } =
    ctx?.oidc.entities ?? {};
  const source = RotatedRefreshToken ?? RefreshToken ?? AuthorizationCode ?? DeviceCode;
  const { authTime, acr, amr } = source ?? {};
  return { ...(authTime && { auth_time: authTime }), ...(acr && { acr }), ...(amr && { amr }) };
}

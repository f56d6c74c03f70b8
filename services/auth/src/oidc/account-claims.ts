import type { Account as OidcAccount } from "oidc-provider";
import type { Account } from "../accounts/account.ts";

/** OpenID Connect Core section 5.4: which scope releases which claims about a person. */
export const claimsByScope = {
  openid: ["sub"],
  email: ["email", "email_verified"],
  profile: ["name"],
};

/** An account as the protocol library sees it; it picks what the granted scopes release. */
export const toOidcAccount = (account: Account): OidcAccount => ({
  accountId: account.id,
  roles: account.roles,
  claims: () => ({
    sub: account.id,
    email: account.email,
    email_verified: account.emailVerified,
    ...(account.name !== null && { name: account.name }),
  }),
});

/** Our own claims of an access token, beside those of RFC 9068. */
export const accessTokenClaims = (account: Account) => ({
  roles: account.roles,
  email_verified: account.emailVerified,
  ...(account.premiumUntil && {
    premium_until: Math.floor(account.premiumUntil.getTime() / 1000),
  }),
});

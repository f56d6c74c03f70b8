import type { Account } from "../accounts/account.ts";
import { firstParty } from "../clients/client.ts";
import { scopesPermitted } from "../roles/role.ts";
import { signInGrantType, toOidcAccount } from "./account-claims.ts";
import type { CurrentProvider } from "./current-provider.ts";
import { accessTokenLifetimeS, resourceServer } from "./resource-server.ts";

export type IssuedAccessToken = {
  accessToken: string;
  tokenType: "Bearer";
  expiresIn: number;
  scope: string;
};

/** @param amr RFC 8176: how the person signed in */
export type IssueAccessToken = (
  account: Account,
  amr: readonly string[],
) => Promise<IssuedAccessToken>;

/**
 * An access token for the platform's own front end, made by the protocol library's own models, so that
 * it is the same as any other: keys, claims, lifetime. It has a grant, as every token of a person has.
 */
export const issueAccessTokenWith =
  (currentProvider: CurrentProvider, audience: string): IssueAccessToken =>
  async (account, amr) => {
    const provider = currentProvider();
    const client = await provider.Client.find(firstParty.client_id);
    if (!client) throw new Error("The first-party client is missing.");
    // Without a refresh token there is nothing to be offline with.
    const scopes = scopesPermitted(account.roles).filter((scope) => scope !== "offline_access");
    const scope = scopes.join(" ");

    const grant = new provider.Grant({ accountId: account.id, clientId: client.clientId });
    // Nothing outlives the one token.
    Object.assign(grant, { expiresIn: accessTokenLifetimeS });
    grant.addOIDCScope(scope);
    grant.addResourceScope(audience, scope);
    const grantId = await grant.save();

    const token = new provider.AccessToken({
      client,
      accountId: account.id,
      grantId,
      gty: signInGrantType,
      scope,
      resourceServer: new provider.ResourceServer(audience, resourceServer(audience, scopes)),
    });
    Object.assign(token, { account: toOidcAccount(account), amr });
    const accessToken = await token.save();
    return { accessToken, tokenType: "Bearer", expiresIn: token.expiration, scope };
  };

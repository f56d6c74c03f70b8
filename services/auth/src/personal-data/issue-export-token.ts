import type { FreshAccounts } from "../accounts/fresh-accounts.ts";
import { firstParty } from "../clients/client.ts";
import { toOidcAccount } from "../oidc/account-claims.ts";
import type { CurrentProvider } from "../oidc/current-provider.ts";
import { resourceServer } from "../oidc/resource-server.ts";
import { exportScope } from "./export.ts";

/** Undefined when the account is gone. */
export type IssueExportToken = (accountId: string) => Promise<string | undefined>;

const lifetimeS = 60;

/**
 * For one page of one service: whoever it is shown to can read with it, for a minute, what they hold
 * anyway. It says of no sign-in, so nothing that asks for a recent one takes it.
 */
export const issueExportTokenWith =
  (currentProvider: CurrentProvider, accounts: FreshAccounts, audience: string): IssueExportToken =>
  async (accountId) => {
    const account = await accounts.find(accountId);
    if (!account) return undefined;
    const provider = currentProvider();
    const client = await provider.Client.find(firstParty.client_id);
    if (!client) throw new Error("The first-party client is missing.");
    const about = {
      client,
      accountId,
      gty: "export",
      scope: exportScope,
      resourceServer: new provider.ResourceServer(
        audience,
        resourceServer(audience, [exportScope]),
      ),
    };
    // Nobody granted anything to anybody, and no session is to be listed: so it has no grant.
    const token = new provider.AccessToken(about as typeof about & { grantId: string });
    Object.assign(token, { account: toOidcAccount(account), expiresIn: lifetimeS });
    return token.save();
  };

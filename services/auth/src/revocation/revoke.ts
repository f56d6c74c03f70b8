import type { ClientSession, Connection } from "mongoose";
import type { AccountStore } from "../accounts/account-store.ts";
import { accountBelow, clientUntil, grantOf, keyNamed, tokenNamed } from "./revocation.ts";
import type { RevocationStore } from "./revocation-store.ts";

/**
 * Makes every service refuse access tokens, within a second of the answer. With `session` it happens
 * in that transaction or not at all.
 */
export type Revoke = {
  /** Every access token of the account that was made before now. */
  account(accountId: string, session?: ClientSession): Promise<void>;
  /** Every access token that was or will be made under the grant. */
  grant(grantId: string, session?: ClientSession): Promise<void>;
  /** Every access token that the client got before now, for people and for itself. */
  client(clientId: string, session?: ClientSession): Promise<void>;
  /** This one access token (`jti`). */
  token(tokenId: string): Promise<void>;
  /** Every access token that the key signed; services also read the published keys anew. */
  signingKey(kid: string, session?: ClientSession): Promise<void>;
};

/** Of an account that is gone: no version of its tokens is accepted. */
const noVersion = Number.MAX_SAFE_INTEGER;

export function revokeWith(
  connection: Connection,
  accounts: Pick<AccountStore, "raiseTokenVersion">,
  revocations: RevocationStore,
  now: () => Date = () => new Date(),
): Revoke {
  const revokeAccount = async (accountId: string, session: ClientSession) => {
    const version = await accounts.raiseTokenVersion(accountId, session);
    await revocations.add(accountBelow(accountId, version ?? noVersion, now()), session);
  };
  return {
    async account(accountId, session) {
      if (session) await revokeAccount(accountId, session);
      else await connection.transaction((own) => revokeAccount(accountId, own));
    },
    grant: (grantId, session) => revocations.add(grantOf(grantId, now()), session),
    client: (clientId, session) => revocations.add(clientUntil(clientId, now()), session),
    token: (tokenId) => revocations.add(tokenNamed(tokenId, now())),
    signingKey: (kid, session) => revocations.add(keyNamed(kid, now()), session),
  };
}

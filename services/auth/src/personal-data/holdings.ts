/** Everything that auth holds of a person. Whatever keeps something new about an account adds its line here. */
import { Profile, toProfile } from "../accounts/account.ts";
import type { AccountStore } from "../accounts/account-store.ts";
import type { ConsentStore } from "../consent/consent-store.ts";
import type { LinkedIdentityStore } from "../identity-providers/linked-identity-store.ts";
import type { LinkStore } from "../links/link-store.ts";
import type { SecondFactorStore } from "../second-factor/second-factor-store.ts";
import type { SessionStore } from "../sessions/session-store.ts";
import type { ExportStore } from "./export-store.ts";
import type { Holdings } from "./holding.ts";

type Stores = {
  accounts: Pick<AccountStore, "find" | "remove">;
  sessions: Pick<SessionStore, "list" | "endAll">;
  links: Pick<LinkStore, "listOf" | "removeAllOf">;
  identities: Pick<LinkedIdentityStore, "listOf" | "removeAll">;
  factors: Pick<SecondFactorStore, "find" | "removeAll">;
  consents: Pick<ConsentStore, "listOf" | "removeAllOf">;
  exports: Pick<ExportStore, "removeAllOf">;
};

export const holdingsOf = ({
  accounts,
  sessions,
  links,
  identities,
  factors,
  consents,
  exports,
}: Stores): Holdings => ({
  account: {
    async read(accountId) {
      const account = await accounts.find(accountId);
      return account ? [Profile.parse(toProfile(account))] : [];
    },
    remove: accounts.remove,
  },
  sessions: {
    async read(accountId) {
      const list = await sessions.list(accountId);
      return list.map(({ device, clients, startedAt, lastUsedAt, expiresAt }) => ({
        device,
        clients,
        startedAt,
        lastUsedAt,
        expiresAt,
      }));
    },
    remove: (accountId, session) => sessions.endAll(accountId, { session }),
  },
  consents: { read: consents.listOf, remove: consents.removeAllOf },
  "mailed links": {
    async read(accountId) {
      const list = await links.listOf(accountId);
      return list.map(({ purpose, email, requestedAt, usedAt }) => ({
        purpose,
        email,
        requestedAt,
        usedAt,
      }));
    },
    remove: links.removeAllOf,
  },
  "linked identities": {
    async read(accountId) {
      const list = await identities.listOf(accountId);
      return list.map(({ issuer, subject, email, linkedAt, usedAt }) => ({
        issuer,
        subject,
        email,
        linkedAt,
        usedAt,
      }));
    },
    remove: identities.removeAll,
  },
  "second factors": {
    async read(accountId) {
      const { authenticator, passkeys, recoveryCodesLeft } = await factors.find(accountId);
      return [
        ...(authenticator ? [{ kind: "authenticator", addedAt: authenticator.addedAt }] : []),
        ...passkeys.map(({ name, addedAt, usedAt }) => ({
          kind: "passkey",
          name,
          addedAt,
          usedAt,
        })),
        ...(recoveryCodesLeft > 0 ? [{ kind: "recovery codes", left: recoveryCodesLeft }] : []),
      ];
    },
    remove: factors.removeAll,
  },
  // Copies of all the rest.
  exports: { read: async () => [], remove: exports.removeAllOf },
});

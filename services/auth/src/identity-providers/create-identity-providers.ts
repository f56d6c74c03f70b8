import type { Logger } from "@portico/service-kit";
import type { Outbox } from "@portico/service-kit/events";
import type { Connection } from "mongoose";
import type { AccountStore } from "../accounts/account-store.ts";
import type { SecondFactorStore } from "../second-factor/second-factor-store.ts";
import type { SessionStore } from "../sessions/session-store.ts";
import { type Receive, receiveWith } from "./arrival.ts";
import { createBrowserSecrets } from "./browser-secret.ts";
import {
  createFederatedSignInStore,
  type FederatedSignInStore,
} from "./federated-sign-in-store.ts";
import { createFederation, type Federation } from "./federation.ts";
import { type IdentityProvider, redirectUriOf } from "./identity-provider.ts";
import { createLinkedIdentityStore, type LinkedIdentityStore } from "./linked-identity-store.ts";
import { createLinking, type Linking } from "./linking.ts";
import { createPendingLinks, type PendingLinks } from "./pending-link.ts";
import { createRelyingParty } from "./relying-party.ts";

/** Everything that pages and endpoints need of this folder. */
export type IdentityProviders = {
  federation: Federation;
  signIns: FederatedSignInStore;
  identities: LinkedIdentityStore;
  linking: Linking;
  receive: Receive;
  pendingLinks: PendingLinks;
};

export function createIdentityProviders(given: {
  mongo: Connection;
  outbox: Outbox;
  accounts: AccountStore;
  factors: SecondFactorStore;
  sessions: SessionStore;
  providers: readonly IdentityProvider[];
  issuer: string;
  publicOrigin: string;
  logger: Logger;
}): IdentityProviders {
  const { mongo, outbox, accounts, factors, sessions, providers, issuer, publicOrigin, logger } =
    given;
  const signIns = createFederatedSignInStore(mongo);
  const identities = createLinkedIdentityStore(mongo);
  const federation = createFederation({
    parties: providers.map((provider) =>
      createRelyingParty(provider, { redirectUri: redirectUriOf(issuer, provider) }),
    ),
    signIns,
    browsers: createBrowserSecrets(publicOrigin),
  });
  const linking = createLinking({ accounts, identities, factors, sessions, outbox, logger });
  return {
    federation,
    signIns,
    identities,
    linking,
    receive: receiveWith({ accounts, identities, linking }),
    pendingLinks: createPendingLinks({ signIns, federation, linking, logger }),
  };
}

/** The way to a provider and back: one browser, one provider, one answer, ten minutes. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type BrowserSecrets, browserHashOf } from "./browser-secret.ts";
import { begin, type FederatedSignIn, hash, type Purpose, proofsOf } from "./federated-sign-in.ts";
import type { FederatedSignInStore } from "./federated-sign-in-store.ts";
import type { OfferedProvider, ProvidedIdentity } from "./identity-provider.ts";
import type { RelyingParty } from "./relying-party.ts";

export type Federation = {
  /** In the order of the configuration. */
  offered(): OfferedProvider[];
  find(providerId: string): OfferedProvider | undefined;
  /** Where the browser is to go. @throws ProviderFailure */
  leave(
    request: IncomingMessage,
    response: ServerResponse,
    providerId: string,
    purpose: Purpose,
  ): Promise<URL>;
  /** Takes an answer, once; undefined when nobody in this browser waits for it. */
  takeAnswer(
    request: IncomingMessage,
    providerId: string,
    answer: URLSearchParams,
  ): Promise<FederatedSignIn | undefined>;
  /** Who the answer that was taken is about. @throws ProviderFailure */
  identify(
    request: IncomingMessage,
    signIn: FederatedSignIn,
    answer: URLSearchParams,
  ): Promise<ProvidedIdentity>;
};

type Dependencies = {
  parties: readonly RelyingParty[];
  signIns: FederatedSignInStore;
  browsers: BrowserSecrets;
  now?: () => Date;
};

export function createFederation(dependencies: Dependencies): Federation {
  const { signIns, browsers, now = () => new Date() } = dependencies;
  const parties = new Map(dependencies.parties.map((party) => [party.provider.id, party]));

  const partyOf = (providerId: string): RelyingParty => {
    const party = parties.get(providerId);
    if (!party) throw new Error(`There is no identity provider ${providerId}.`);
    return party;
  };
  const toOffered = ({ provider: { id, name } }: RelyingParty): OfferedProvider => ({ id, name });

  return {
    offered: () => [...parties.values()].map(toOffered),

    find(providerId) {
      const party = parties.get(providerId);
      return party && toOffered(party);
    },

    async leave(request, response, providerId, purpose) {
      const { proofs, signIn } = begin(
        browsers.keep(request, response),
        providerId,
        purpose,
        now(),
      );
      const url = await partyOf(providerId).authorizationUrl(proofs, {
        reauthenticate: purpose.reauthenticate,
      });
      await signIns.add(signIn);
      return url;
    },

    async takeAnswer(request, providerId, answer) {
      const [state, ...more] = answer.getAll("state");
      if (!state || more.length > 0) return undefined;
      const browserHash = browserHashOf(browsers, request);
      return signIns.answer({ stateHash: hash(state), browserHash, providerId }, now());
    },

    identify(request, { providerId, purpose, startedAt }, answer) {
      const proofs = proofsOf(browsers.read(request) ?? "", answer.get("state") ?? "");
      const authenticatedAfter = purpose.reauthenticate ? startedAt : undefined;
      return partyOf(providerId).identify(answer, proofs, authenticatedAfter);
    },
  };
}

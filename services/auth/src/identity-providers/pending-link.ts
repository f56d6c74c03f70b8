/**
 * Somebody who came from a provider with the address of an account, and still has to prove that it is
 * theirs: what the sign-in page tells them, and what happens when they have.
 */
import { type Logger, Problem } from "@portico/service-kit";
import type { Interaction } from "oidc-provider";
import type { Account } from "../accounts/account.ts";
import type { FederatedSignInStore } from "./federated-sign-in-store.ts";
import type { Federation } from "./federation.ts";
import type { Linking } from "./linking.ts";

export type PendingLink = { providerName: string; email: string };

export type PendingLinks = {
  find(interaction: Pick<Interaction, "cid">): Promise<PendingLink | undefined>;
  /** When all factors of `account` are proved: links, if it is the account that this was about. */
  complete(interaction: Pick<Interaction, "cid">, account: Account): Promise<void>;
};

type Dependencies = {
  signIns: FederatedSignInStore;
  federation: Pick<Federation, "find">;
  linking: Pick<Linking, "link">;
  logger: Logger;
  now?: () => Date;
};

export function createPendingLinks(dependencies: Dependencies): PendingLinks {
  const { signIns, federation, linking, logger, now = () => new Date() } = dependencies;

  const findArrival = async ({ cid }: Pick<Interaction, "cid">) => {
    const signIn = await signIns.findIdentified(cid, now());
    const { providerId = "", identity } = signIn ?? {};
    return identity?.email ? { providerId, identity, email: identity.email } : undefined;
  };

  return {
    async find(interaction) {
      const arrival = await findArrival(interaction);
      if (!arrival) return undefined;
      const { providerId, email } = arrival;
      return { providerName: federation.find(providerId)?.name ?? providerId, email };
    },

    async complete(interaction, account) {
      const arrival = await findArrival(interaction);
      if (!arrival) return;
      await signIns.forgetChain(interaction.cid);
      if (arrival.email !== account.email) return;
      // Signed in they are; that a link could not be made keeps nobody out.
      await linking.link(account.id, arrival).catch((error) => {
        if (!(error instanceof Problem)) throw error;
        logger.warn("identity.not-linked", { accountId: account.id, problem: error.code });
      });
    },
  };
}

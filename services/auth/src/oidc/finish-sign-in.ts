import type { IncomingMessage, ServerResponse } from "node:http";
import type { Account } from "../accounts/account.ts";
import { requireActive } from "../accounts/require-active.ts";
import type { PendingLinks } from "../identity-providers/pending-link.ts";
import { redirect } from "../pages/page.ts";
import type { SecondFactor } from "../second-factor/create-second-factor.ts";
import { isBelow, levelNeeded, levelOf } from "../second-factor/second-factor.ts";
import type { CurrentProvider } from "./current-provider.ts";
import { acrValuesOf } from "./sign-in-step.ts";

/** A person whose first factor is proved: by password, by another identity provider, by a passkey. */
export type ProvedFactors = {
  account: Account;
  /** RFC 8176: how it was proved, `pwd` for a password; with `mfa` when it was more than one factor. */
  amr: readonly string[];
  /** Seconds: when the first factor was proved, if that was not just now. */
  signedInAt?: number;
};

/**
 * Ends the login step of the interaction that this browser is in, and lets the client's request go on.
 * Where a second factor is needed that is not proved yet, the person is led to it first.
 */
export type FinishSignIn = (
  request: IncomingMessage,
  response: ServerResponse,
  proved: ProvedFactors,
) => Promise<void>;

export const finishSignInWith =
  (
    currentProvider: CurrentProvider,
    { factors, rolesThatNeedIt }: Pick<SecondFactor, "factors" | "rolesThatNeedIt">,
    pendingLinks: Pick<PendingLinks, "complete">,
    now: () => number = Date.now,
  ): FinishSignIn =>
  async (request, response, { account, amr, signedInAt = Math.floor(now() / 1000) }) => {
    requireActive(account);
    const provider = currentProvider();
    const interaction = await provider.interactionDetails(request, response);
    const enrolled = await factors.find(account.id);
    const needed = levelNeeded(account, enrolled, rolesThatNeedIt, acrValuesOf(interaction));
    if (isBelow(levelOf(amr), needed)) {
      const firstFactor = { accountId: account.id, amr: [...amr], signedInAt };
      // Not what earlier steps left: a login among it would be taken for this one.
      const options = { mergeWithLastSubmission: false };
      await provider.interactionResult(request, response, { firstFactor }, options);
      redirect(response, `/auth/interaction/${interaction.uid}`);
      return;
    }
    await pendingLinks.complete(interaction, account);
    const login = { accountId: account.id, acr: levelOf(amr), amr: [...amr], ts: signedInAt };
    await provider.interactionFinished(request, response, { login });
  };

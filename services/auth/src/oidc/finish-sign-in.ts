import type { IncomingMessage, ServerResponse } from "node:http";
import type { Provider } from "oidc-provider";
import type { Account } from "../accounts/account.ts";
import { requireActive } from "../accounts/require-active.ts";

/** A person whose first factor is proved: by password here, by another identity provider, by a passkey. */
export type ProvedFirstFactor = {
  account: Account;
  /** RFC 8176: how it was proved, `pwd` for a password. */
  amr: readonly string[];
};

/** Ends the login step of the interaction that this browser is in, and lets the client's request go on. */
export type FinishSignIn = (
  request: IncomingMessage,
  response: ServerResponse,
  proved: ProvedFirstFactor,
) => Promise<void>;

export const finishSignInWith =
  (provider: Provider): FinishSignIn =>
  async (request, response, { account, amr }) => {
    requireActive(account);
    await provider.interactionFinished(request, response, {
      login: { accountId: account.id, amr: [...amr] },
    });
  };

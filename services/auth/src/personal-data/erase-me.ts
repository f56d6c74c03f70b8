import { answer, endpoint, missingToken, signedInWithin } from "@portico/service-kit";
import { recentS } from "../oidc/recent-sign-in.ts";
import type { EraseAccount } from "./erase-account.ts";
import { Receipt, toReceipt } from "./erasure.ts";

/**
 * Erases the caller's account, for ever and everywhere. Whoever took over a session cannot: it needs a
 * sign-in of the last minutes, by whatever factors the account asks for.
 */
export const eraseMe = (eraseAccount: EraseAccount) =>
  endpoint({
    method: "delete",
    path: "/auth/users/me",
    summary: "Erase your account",
    description:
      "Needs a sign-in of the last five minutes (RFC 9470). The account, its sessions and its tokens end at once; what other services hold is removed or anonymised soon after. The receipt says how far that is.",
    guard: signedInWithin(recentS),
    reply: {
      status: 202,
      body: Receipt,
      headers: { Location: "Path of the receipt, which can be read without the account" },
    },

    async handle({ caller }) {
      const erased = await eraseAccount(caller.subject);
      // A token outlives its account by a second.
      if (!erased) throw missingToken();
      const { receiptId, erasure } = erased;
      return answer(toReceipt(receiptId, erasure), {
        headers: { Location: `/auth/erasures/${receiptId}` },
      });
    },
  });

import { endpoint, missingToken, signedIn } from "@portico/service-kit";
import { Profile, toProfile } from "./account.ts";
import type { FreshAccounts } from "./fresh-accounts.ts";

/** The caller's own account, as it stands now: what a token says may be ten minutes old. */
export const getMe = (accounts: FreshAccounts) =>
  endpoint({
    method: "get",
    path: "/auth/users/me",
    summary: "Read your own account",
    guard: signedIn,
    reply: { status: 200, body: Profile },

    async handle({ caller }) {
      const account = await accounts.find(caller.subject);
      // A token outlives its account by a moment, and a client's own token has no account.
      if (account?.status !== "active") throw missingToken();
      return toProfile(account);
    },
  });

import { endpoint, missingToken, signedIn } from "@portico/service-kit";
import { z } from "zod";
import type { FreshAccounts } from "../accounts/fresh-accounts.ts";

/** Whether the caller's address is verified, as it stands now: a token may be ten minutes old. */
export const verificationStatus = (accounts: FreshAccounts) =>
  endpoint({
    method: "get",
    path: "/auth/verification",
    summary: "Read whether your address is verified",
    guard: signedIn,
    reply: {
      status: 200,
      body: z.object({ status: z.enum(["verified", "pending"]), email: z.string() }),
    },

    async handle({ caller }) {
      const account = await accounts.find(caller.subject);
      if (!account) throw missingToken();
      const status = account.emailVerified ? ("verified" as const) : ("pending" as const);
      return { status, email: account.email };
    },
  });

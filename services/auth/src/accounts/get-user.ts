import { endpoint, notFound, permits } from "@portico/service-kit";
import { z } from "zod";
import { AccountId } from "./account.ts";
import type { AccountStore } from "./account-store.ts";
import { toUser, User } from "./user.ts";

export const getUser = (accounts: Pick<AccountStore, "find">) =>
  endpoint({
    method: "get",
    path: "/auth/users/:accountId",
    summary: "Read anybody's account",
    guard: permits("users:read", { roles: ["admin"] }),
    params: z.object({ accountId: AccountId }),
    reply: { status: 200, body: User },
    problems: [notFound],

    async handle({ params }) {
      const account = await accounts.find(params.accountId);
      if (!account) throw notFound();
      return toUser(account);
    },
  });

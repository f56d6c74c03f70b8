import { conflict, endpoint, notFound, permits, problemType } from "@portico/service-kit";
import { z } from "zod";
import { Role } from "../roles/role.ts";
import { AccountId, AccountStatus } from "./account.ts";
import type { Administer } from "./administer.ts";
import { toUser, User } from "./user.ts";

const ownAccount = problemType(
  conflict.status,
  "own-account",
  "Another administrator must do this: nobody suspends themselves, or stops being one.",
);

/** Suspends, reinstates, gives and takes roles. Tokens from before are refused within a second. */
export const changeUser = (administer: Administer) =>
  endpoint({
    method: "patch",
    path: "/auth/users/:accountId",
    summary: "Change somebody's status or roles",
    guard: permits("users:write", { roles: ["admin"] }),
    params: z.object({ accountId: AccountId }),
    body: z.object({
      status: AccountStatus.optional(),
      roles: z
        .array(Role)
        .max(Role.options.length)
        .optional()
        .meta({ description: "All of them; what is left out is taken" }),
    }),
    reply: { status: 200, body: User },
    problems: [notFound, ownAccount],

    async handle({ caller, params: { accountId }, body: { status, roles } }) {
      const stepsDown = status === "suspended" || (roles && !roles.includes("admin"));
      if (accountId === caller.subject && stepsDown) throw ownAccount();

      const unique = roles && [...new Set(roles)];
      const account = await administer(accountId, { status, roles: unique }, caller.subject);
      if (!account) throw notFound();
      return toUser(account);
    },
  });

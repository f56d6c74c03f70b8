import {
  endpoint,
  missingToken,
  problemType,
  signedIn,
  tooManyRequests,
} from "@portico/service-kit";
import { z } from "zod";
import type { AccountStore } from "./account-store.ts";
import type { Authenticate } from "./authenticate.ts";
import { GivenPassword, hashPassword, NewPassword, requireImpersonal } from "./password.ts";
import type { ReplacePassword } from "./replace-password.ts";

export const wrongPassword = problemType(403, "wrong-password", "The current password is wrong.");

/** `accountId` is the caller's own. Throws the problem that says what is wrong with either password. */
export type ChangePassword = (given: {
  accountId: string;
  currentPassword: string;
  password: string;
  address: string;
}) => Promise<void>;

/** A stolen token gets no more guesses at the password than anybody else. */
export const changePasswordWith =
  (
    accounts: Pick<AccountStore, "find">,
    authenticate: Authenticate,
    replacePassword: ReplacePassword,
  ): ChangePassword =>
  async ({ accountId, currentPassword, password, address }) => {
    const known = await accounts.find(accountId);
    if (!known) throw missingToken();
    requireImpersonal(password, known);
    const given = { email: known.email, password: currentPassword, address };
    const { account } = await authenticate(given);
    if (!account) throw wrongPassword();
    if (!(await replacePassword(account, await hashPassword(password)))) throw missingToken();
  };

export const changePasswordEndpoint = (changePassword: ChangePassword) =>
  endpoint({
    method: "put",
    path: "/auth/users/me/password",
    summary: "Change your password",
    description:
      "Ends every session of the account, this one too, and every access token: sign in again.",
    guard: signedIn,
    body: z.object({ currentPassword: GivenPassword, password: NewPassword }),
    reply: { status: 204 },
    problems: [wrongPassword, tooManyRequests],

    async handle({ caller, body, address }) {
      await changePassword({ accountId: caller.subject, ...body, address });
      return undefined;
    },
  });

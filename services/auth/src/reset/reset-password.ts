/**
 * Reset: a new password for who forgot the old one, or never had it, by a link that only the account's
 * mailbox receives. So it proves the address too. Whoever was in the account until then is out: every
 * session ends, and where the address was not proved before, everything that could let a stranger in who
 * signed up with it goes (`removeWaysIn`).
 */
import { anyone, endpoint, tooManyRequests } from "@portico/service-kit";
import type { ClientSession } from "mongoose";
import { z } from "zod";
import type { Account } from "../accounts/account.ts";
import type { AccountStore } from "../accounts/account-store.ts";
import { hashPassword, NewPassword, requireImpersonal } from "../accounts/password.ts";
import type { ReplacePassword } from "../accounts/replace-password.ts";
import type { Attempts } from "../attempts/create-attempts.ts";
import { hashToken, LinkToken, linkProblems, refusalOf, unknownLink } from "../links/link.ts";
import type { LinkStore } from "../links/link-store.ts";

/** Uses a link; throws the problem that says why it cannot be used, or why the password will not do. */
export type ResetPassword = (given: {
  token: string;
  password: string;
  address: string;
}) => Promise<void>;

/** What lets somebody into an account beside its password, or counts as a second factor there. */
export type RemoveWaysIn = (accountId: string, session: ClientSession) => Promise<void>;

export type ResetDependencies = {
  accounts: AccountStore;
  links: LinkStore;
  replacePassword: ReplacePassword;
  attempts: Pick<Attempts, "links" | "signIns">;
  removeWaysIn: RemoveWaysIn;
};

export const resetPasswordWith = (dependencies: ResetDependencies): ResetPassword => {
  const { accounts, links, replacePassword, attempts, removeWaysIn } = dependencies;

  /** Looked at before the password is hashed, and again when the link is used. */
  const requireAccount = async (tokenHash: string): Promise<Account> => {
    const link = await links.find("reset", tokenHash);
    if (!link || link.usedAt || link.expiresAt <= new Date()) throw refusalOf(link);
    const account = await accounts.find(link.accountId);
    if (account?.email !== link.email) throw unknownLink();
    return account;
  };

  /** All of it or nothing: cut off in between, the link can be used again. */
  const replace = async (account: Account, passwordHash: string, tokenHash: string) => {
    const isTheirs = await replacePassword(account, passwordHash, async (session) => {
      const link = await links.use("reset", tokenHash, new Date(), session);
      if (!link) throw refusalOf(await links.find("reset", tokenHash));
      if (!account.emailVerified) await removeWaysIn(account.id, session);
      await accounts.markEmailVerified(account.id, account.email, session);
    });
    if (!isTheirs) throw unknownLink();
  };

  return async ({ token, password, address }) => {
    await attempts.links.count(address);
    const tokenHash = hashToken(token);
    const account = await requireAccount(tokenHash);
    requireImpersonal(password, account);
    await replace(account, await hashPassword(password), tokenHash);
    await attempts.signIns.forget(account.email);
    await attempts.signIns.succeeded(account.email, address);
  };
};

export const resetPasswordEndpoint = (resetPassword: ResetPassword) =>
  endpoint({
    method: "post",
    path: "/auth/reset",
    summary: "Choose a new password",
    description:
      "Takes the token of the link in the mail. Ends every session of the account, and proves its address.",
    guard: anyone,
    body: z.object({ token: LinkToken, password: NewPassword }),
    reply: { status: 200, body: z.object({ status: z.literal("password-changed") }) },
    problems: [...linkProblems, tooManyRequests],

    async handle({ body: { token, password }, address }) {
      await resetPassword({ token, password, address });
      return { status: "password-changed" as const };
    },
  });

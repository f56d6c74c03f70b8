/**
 * An account: an e-mail address, a password and what its owner may do. This folder owns who exists and
 * who can prove it with a password; whether the address is the owner's is `verification/`'s, and what a
 * client may do with an account is `oidc/`'s.
 */
import { z } from "zod";
import { Role } from "../roles/role.ts";

export { EmailAddress } from "./email-address.ts";

export const AccountId = z.uuid().meta({ description: "Id of an account (UUID), `sub` in tokens" });

export const Name = z
  .string()
  .trim()
  .min(1)
  .max(100, { error: "Must have at most 100 characters." })
  .refine((name) => !/\p{Cc}/u.test(name), { error: "Must not contain control characters." })
  .meta({ description: "What to call the person" });

/** A suspended account can do nothing: not sign in, not refresh, not use a token that it has. */
export const AccountStatus = z.enum(["active", "suspended"]).meta({ id: "AccountStatus" });
export type AccountStatus = z.output<typeof AccountStatus>;

/** What an account's owner sees of it. */
export const Profile = z
  .object({
    id: AccountId,
    email: z.string(),
    name: z.string().nullable(),
    emailVerified: z.boolean(),
    roles: z.array(Role),
    premiumUntil: z.iso
      .datetime()
      .nullable()
      .meta({ description: "When the premium subscription ends; null without one" }),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: "Profile" });

export type Profile = z.output<typeof Profile>;

/** An account without its password hash, which leaves the store only for a sign-in. */
export type Account = {
  id: string;
  email: string;
  name: string | null;
  emailVerified: boolean;
  roles: Role[];
  premiumUntil: Date | null;
  createdAt: Date;
  status: AccountStatus;
  /** `account_version` in its access tokens; those with a lower one are refused. */
  tokenVersion: number;
};

/** Of an account that is made just now. */
export const freshStanding = { status: "active", tokenVersion: 0 } as const;

export const toProfile = (account: Account): Profile => ({
  ...account,
  premiumUntil: account.premiumUntil?.toISOString() ?? null,
  createdAt: account.createdAt.toISOString(),
});

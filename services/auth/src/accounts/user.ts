/** An account as administrators see it. */
import type { z } from "zod";
import { type Account, AccountStatus, Profile, toProfile } from "./account.ts";

export const User = Profile.extend({ status: AccountStatus }).meta({ id: "User" });

export type User = z.output<typeof User>;

export const toUser = (account: Account): User => ({
  ...toProfile(account),
  status: account.status,
});

import type { SignInAttempts } from "../attempts/sign-in-attempts.ts";
import type { Account } from "./account.ts";
import type { AccountStore } from "./account-store.ts";
import { comparingInTurn, unmatchableHash } from "./password.ts";

/** What somebody presents, and the IP address that they present it from. */
export type GivenCredentials = { email: string; password: string; address: string };

/** `attempts`: this one and the failed ones since the last that succeeded. */
export type Authentication =
  | { account: Account; attempts: number }
  | { account?: undefined; attempts: number };

/**
 * Address and password -> the account; none when they do not belong together. Throws 429 with
 * `Retry-After` when it is too soon after failed attempts.
 */
export type Authenticate = (given: GivenCredentials) => Promise<Authentication>;

/**
 * An unknown address costs what a wrong password costs, so that time does not tell them apart. Counted in
 * the same turn as it is checked: of a thousand at once no more are let through than one after the other.
 */
export const authenticateWith =
  (accounts: Pick<AccountStore, "findCredentials">, attempts: SignInAttempts): Authenticate =>
  ({ email, password, address }) =>
    comparingInTurn(async (compare) => {
      await attempts.admit(email, address);
      const known = await accounts.findCredentials(email);
      const matches = await compare(known?.passwordHash ?? unmatchableHash, password);
      if (!known || !matches) return { attempts: await attempts.failed(email, address) };
      return { account: known.account, attempts: 1 + (await attempts.succeeded(email, address)) };
    });

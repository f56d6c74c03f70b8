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
 * An unknown address costs what a wrong password costs, so that time does not tell them apart. A failure
 * is counted in the turn that found it: of a thousand at once no more are let through than in a row.
 */
export const authenticateWith =
  (accounts: Pick<AccountStore, "findCredentials">, attempts: SignInAttempts): Authenticate =>
  async ({ email, password, address }) => {
    const tried = await comparingInTurn(async (compare) => {
      const [known] = await Promise.all([
        accounts.findCredentials(email),
        attempts.admit(email, address),
      ]);
      const matches = await compare(known?.passwordHash ?? unmatchableHash, password);
      if (known && matches) return { account: known.account };
      return { attempts: await attempts.failed(email, address) };
    });
    if (!tried.account) return tried;
    return { account: tried.account, attempts: 1 + (await attempts.succeeded(email, address)) };
  };

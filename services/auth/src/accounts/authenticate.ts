import type { Account } from "./account.ts";
import type { AccountStore } from "./account-store.ts";
import { passwordMatches, unmatchableHash } from "./password.ts";

/** Address and password -> the account; undefined when they do not belong together. */
export type Authenticate = (email: string, password: string) => Promise<Account | undefined>;

/** An unknown address costs what a wrong password costs, so that time does not tell them apart. */
export const authenticateWith =
  (accounts: Pick<AccountStore, "findCredentials">): Authenticate =>
  async (email, password) => {
    const known = await accounts.findCredentials(email);
    const matches = await passwordMatches(known?.passwordHash ?? unmatchableHash, password);
    return matches ? known?.account : undefined;
  };

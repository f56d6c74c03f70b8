import { readTogether } from "../reads/read-together.ts";
import type { Account } from "./account.ts";
import type { AccountStore } from "./account-store.ts";

/** Accounts as they stand now, never from a cache. */
export type FreshAccounts = { find(id: string): Promise<Account | undefined> };

export const readFresh = (store: Pick<AccountStore, "findAll">): FreshAccounts => ({
  find: readTogether(store.findAll, ({ id }) => id),
});

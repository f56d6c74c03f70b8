/**
 * Reads of single accounts, never from a cache. Those that arrive while a query is under way go into
 * one query together as soon as it is back: each sees what was written before it was asked for, and the
 * more there are, the fewer queries each of them costs.
 */
import DataLoader from "dataloader";
import type { Account } from "./account.ts";
import type { AccountStore } from "./account-store.ts";

export type FreshAccounts = { find(id: string): Promise<Account | undefined> };

const mostTogether = 500;

export function readFresh(store: Pick<AccountStore, "findAll">): FreshAccounts {
  let underWay: Promise<unknown> | undefined;

  const query = async (ids: readonly string[]) => {
    const found = store.findAll([...new Set(ids)]);
    const over = found.then(
      () => undefined,
      () => undefined,
    );
    underWay = over;
    over.then(() => {
      if (underWay === over) underWay = undefined;
    });
    const byId = new Map((await found).map((account) => [account.id, account]));
    return ids.map((id) => byId.get(id));
  };

  const loader = new DataLoader<string, Account | undefined>(query, {
    cache: false,
    maxBatchSize: mostTogether,
    batchScheduleFn: (dispatch) => {
      if (underWay) underWay.then(dispatch);
      // All the requests that this turn of the event loop reads from its sockets.
      else setImmediate(dispatch);
    },
  });
  return { find: (id) => loader.load(id) };
}

import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Account } from "./account.ts";
import { readFresh } from "./fresh-accounts.ts";

const account = (id: string) => ({ id }) as Account;

/** A store whose queries end when the test says so. */
function slowStore() {
  const queries: { ids: readonly string[]; end: () => void; fail: () => void }[] = [];
  const findAll = (ids: readonly string[]) =>
    new Promise<Account[]>((resolve, reject) => {
      queries.push({
        ids,
        end: () => resolve(ids.filter((id) => id !== "unknown").map(account)),
        fail: () => reject(new Error("away")),
      });
    });
  return { queries, findAll };
}

test("fresh accounts > reads of one moment go into one query, each id once", async () => {
  const { queries, findAll } = slowStore();
  const fresh = readFresh({ findAll });
  const reads = ["a", "b", "a", "unknown"].map((id) => fresh.find(id));
  await turn();
  expect(queries.map(({ ids }) => ids)).toEqual([["a", "b", "unknown"]]);
  queries[0]?.end();
  expect(await Promise.all(reads)).toEqual([account("a"), account("b"), account("a"), undefined]);
});

test("fresh accounts > a read that arrives during a query never gets that query's answer", async () => {
  const { queries, findAll } = slowStore();
  const fresh = readFresh({ findAll });
  const early = fresh.find("a");
  await turn();
  const late = [fresh.find("a"), fresh.find("c")];
  await turn();
  expect(queries).toHaveLength(1);
  queries[0]?.end();
  await early;
  await turn();
  expect(queries.map(({ ids }) => ids)).toEqual([["a"], ["a", "c"]]);
  queries[1]?.end();
  await Promise.all(late);
});

test("fresh accounts > a failed query fails its own reads, and the next ones are asked again", async () => {
  const { queries, findAll } = slowStore();
  const fresh = readFresh({ findAll });
  const first = fresh.find("a");
  await turn();
  const second = fresh.find("a");
  queries[0]?.fail();
  await expect(first).rejects.toThrow("away");
  await turn();
  queries[1]?.end();
  expect(await second).toEqual(account("a"));
});

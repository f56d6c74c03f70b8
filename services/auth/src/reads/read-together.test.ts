import { setImmediate as turn } from "node:timers/promises";
import { createTestDatabase } from "@portico/dev-env";
import { connectMongo, createLogger } from "@portico/service-kit";
import { expect, inject, test } from "vitest";
import { readDocuments, readTogether } from "./read-together.ts";

type Account = { id: string };
const account = (id: string): Account => ({ id });

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

test("reads by id > reads of one moment go into one query, each id once", async () => {
  const store = slowStore();
  const { queries } = store;
  const find = readTogether(store.findAll, ({ id }) => id);
  const reads = ["a", "b", "a", "unknown"].map(find);
  await turn();
  expect(queries.map(({ ids }) => ids)).toEqual([["a", "b", "unknown"]]);
  queries[0]?.end();
  expect(await Promise.all(reads)).toEqual([account("a"), account("b"), account("a"), undefined]);
});

test("reads by id > a read that arrives during a query never gets that query's answer", async () => {
  const store = slowStore();
  const { queries } = store;
  const find = readTogether(store.findAll, ({ id }) => id);
  const early = find("a");
  await turn();
  const late = [find("a"), find("c")];
  await turn();
  expect(queries).toHaveLength(1);
  queries[0]?.end();
  await early;
  await turn();
  expect(queries.map(({ ids }) => ids)).toEqual([["a"], ["a", "c"]]);
  queries[1]?.end();
  await Promise.all(late);
});

test("reads by id > a failed query fails its own reads, and the next ones are asked again", async () => {
  const store = slowStore();
  const { queries } = store;
  const find = readTogether(store.findAll, ({ id }) => id);
  const first = find("a");
  await turn();
  const second = find("a");
  queries[0]?.fail();
  await expect(first).rejects.toThrow("away");
  await turn();
  queries[1]?.end();
  expect(await second).toEqual(account("a"));
});

test("reads by id > after a query for several the next waits for some more", async () => {
  const store = slowStore();
  const { queries } = store;
  const find = readTogether(store.findAll, ({ id }) => id);
  const first = [find("a"), find("b")];
  await turn();
  queries[0]?.end();
  await Promise.all(first);
  const early = find("c");
  await turn();
  expect(queries).toHaveLength(1);
  const late = find("d");
  await expect.poll(() => queries.length).toBe(2);
  expect(queries[1]?.ids).toEqual(["c", "d"]);
  queries[1]?.end();
  await Promise.all([early, late]);
});

test("documents > are read together, and nobody sees what another does to theirs", async () => {
  const database = await createTestDatabase(inject("stores"));
  const mongo = await connectMongo(database.mongodbUri, createLogger("test", "error"));
  const things = mongo.collection<{ _id: string; of: { any: string } }>("things");
  await things.insertOne({ _id: "a", of: { any: "kind" } });
  const find = readDocuments(things);
  const [one, other, none] = await Promise.all([find("a"), find("a"), find("b")]);
  if (one) one.of.any = "other";
  expect([other, none]).toEqual([{ _id: "a", of: { any: "kind" } }, undefined]);
  expect(await find("a")).toEqual(other);
  await mongo.close();
  await database.drop();
});

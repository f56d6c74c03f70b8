import { readFile } from "node:fs/promises";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { createTurns, inHashTurn } from "./hash-turns.ts";
import { hashPassword } from "./password.ts";

/** Work that ends when the test says so. */
function slowWork() {
  const ends: ((value?: unknown) => void)[] = [];
  const work = () => new Promise((resolve) => ends.push(resolve));
  return { ends, work };
}

const limits = { atOnce: 2, mostWaiting: 3, retryAfterS: 7 };

test("turns > so many work at once, the others in the order in which they came", async () => {
  const inTurn = createTurns(limits);
  const { ends, work } = slowWork();
  const done: string[] = [];
  const all = ["a", "b", "c", "d"].map((name) => inTurn(work).then(() => done.push(name)));
  await turn();
  expect(ends).toHaveLength(2);
  ends[1]?.();
  await turn();
  expect(ends).toHaveLength(3);
  for (const index of [0, 2]) ends[index]?.();
  await turn();
  ends[3]?.();
  await Promise.all(all);
  expect(done).toEqual(["b", "a", "c", "d"]);
});

test("turns > whoever comes when too many wait is sent away, and told when to come back (429)", async () => {
  const inTurn = createTurns(limits);
  const { ends, work } = slowWork();
  const admitted = Array.from({ length: 5 }, () => inTurn(work));
  await expect(inTurn(work)).rejects.toMatchObject({
    status: 429,
    headers: { "Retry-After": "7" },
  });
  for (let next = 0; next < admitted.length; next += 1) {
    await turn();
    ends[next]?.();
  }
  await Promise.all(admitted);
  const late = inTurn(work);
  await turn();
  ends[5]?.();
  await late;
});

test("turns > work that fails gives its place to the next", async () => {
  const inTurn = createTurns({ ...limits, atOnce: 1 });
  const failed = inTurn(() => Promise.reject(new Error("away")));
  const next = inTurn(() => Promise.resolve("done"));
  await expect(failed).rejects.toThrow("away");
  expect(await next).toBe("done");
});

test("hashing > leaves threads to others: a file is read while forty passwords wait", async () => {
  let hashed = 0;
  const hashes = Array.from({ length: 40 }, () =>
    hashPassword("a password to hash").then(() => {
      hashed += 1;
    }),
  );
  await readFile(new URL(import.meta.url));
  expect(hashed).toBeLessThan(20);
  await Promise.all(hashes);
  expect(await inHashTurn(() => Promise.resolve("free"))).toBe("free");
});

import { setTimeout as sleep } from "node:timers/promises";
import { connectMongo, createLogger } from "@portico/service-kit";
import type { Connection } from "mongoose";
import { afterAll, beforeAll, expect, inject, test, vi } from "vitest";
import { type AuthProcess, prepareAuthProcess } from "../testing/auth-process.ts";
import { signUp } from "../testing/people.ts";
import { createRelyingParty, type RelyingParty } from "../testing/relying-party.ts";

let auth: AuthProcess;
let mongo: Connection;
let app: RelyingParty;
let families: string[];

beforeAll(async () => {
  auth = await prepareAuthProcess(inject("stores"));
  await auth.start();
  mongo = await connectMongo(String(auth.environment.MONGODB_URI), createLogger("test", "error"));
  app = await createRelyingParty({ origin: auth.origin, mongo }, "app");
  const person = await signUp(auth);
  const signIns = await Promise.all(Array.from({ length: 6 }, () => app.signIn(person)));
  families = signIns.map(({ refresh_token }) => refresh_token ?? "");
});
afterAll(async () => {
  await mongo.close();
  await auth.close();
});

/** Refreshes one after the other, and after a lost answer once more with the same token. */
async function keepRefreshing(
  token: string,
  until: AbortSignal,
  count: { answered: number; lost: number },
) {
  let current = token;
  while (!until.aborted) {
    try {
      current = (await app.refresh(current)).refresh_token ?? "";
      count.answered += 1;
    } catch (error) {
      if (!isLost(error)) throw error;
      count.lost += 1;
      await sleep(50);
    }
  }
  return current;
}

/** No answer came: `fetch` says so with a TypeError. */
const isLost = (error: unknown) => error instanceof TypeError;

test("kill -9 in the middle of refreshing > signs nobody out", async () => {
  const done = new AbortController();
  const count = { answered: 0, lost: 0 };
  const refreshing = Promise.all(
    families.map((token) => keepRefreshing(token, done.signal, count)),
  );
  for (const kills of [1, 2]) {
    await vi.waitUntil(() => count.answered >= kills * 3 * families.length, { timeout: 30_000 });
    await auth.kill();
    await auth.start();
  }
  done.abort();
  const newest = await refreshing;
  for (const token of newest) await app.refresh(token);
  expect(count.lost).toBeGreaterThan(0);
}, 120_000);

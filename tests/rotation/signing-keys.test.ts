/**
 * The signing key changes while people work: at no door is a token refused, whether the old key signed it
 * or the new one. Envoy does not look for a key that it has not read; it has read this one long before.
 */
import { equal } from "node:assert/strict";
import mongoose from "mongoose";
import { expect, inject, it, vi } from "vitest";
import { doorsOf } from "../doors.ts";
import { call } from "../http.ts";
import { seeded, signIn } from "../people.ts";

const { ready } = inject("platform");
const doors = doorsOf(ready);
const dayMs = 86_400_000;

/** A key that comes next waits for five minutes, and this platform is younger. */
async function waitInTheDatabase(): Promise<void> {
  const connection = await mongoose.createConnection(ready.stores.mongodb).asPromise();
  const createdAt = new Date(Date.now() - dayMs);
  await connection
    .useDb("auth")
    .collection("signingKeys")
    .updateOne({ state: "next" }, { $set: { createdAt } });
  await connection.close();
}

const keyOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid;

it("no request fails while the signing key changes", async () => {
  await waitInTheDatabase();
  const administrator = await signIn(ready.gateway, seeded(ready, "administrator"));
  const answers = new Map<string, number[]>();
  let isRotated = false;

  const work = async () => {
    for (let rounds = 0; rounds < 2 || !isRotated; rounds += 1) {
      const { accessToken: token } = await signIn(ready.gateway, seeded(ready, "clinician"));
      const statuses = await Promise.all(
        doors.map(async ({ url }) => (await call(url, { token })).status),
      );
      answers.set(keyOf(token), [...(answers.get(keyOf(token)) ?? []), ...statuses]);
    }
  };
  const rotate = async () => {
    await vi.waitFor(() => expect(answers.size).toBe(1), { timeout: 10_000 });
    const { accessToken: token } = administrator;
    const url = `${ready.gateway}/auth/signing-keys/rotation`;
    equal((await call(url, { token, method: "POST" })).status, 200);
    isRotated = true;
  };
  const working = Promise.all([work(), work()]);
  await rotate();
  await working;
  await work();

  expect(answers.size).toBe(2);
  for (const statuses of answers.values()) expect(new Set(statuses)).toEqual(new Set([200]));
  for (const { url } of doors) {
    expect((await call(url, { token: ready.accessToken })).status).not.toBe(401);
  }
}, 120_000);

import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { signIn, signUp } from "../testing/people.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
beforeAll(async () => {
  auth = await startAuth(inject("stores"));
});
afterAll(() => auth.stop());

const getMe = (token: string) =>
  request(auth.origin).get("/auth/users/me").set("Authorization", `Bearer ${token}`);

describe("users/me", () => {
  test("answers the caller's own account, without its password (200)", async () => {
    const person = await signUp(auth);
    const { accessToken, account } = await signIn(auth, person);
    const reply = await getMe(accessToken).expect(200);
    expect(reply.body).toEqual(account);
    expect(Object.keys(reply.body).sort()).toEqual([
      "createdAt",
      "email",
      "emailVerified",
      "id",
      "name",
      "premiumUntil",
      "roles",
    ]);
    expect(reply.headers["cache-control"]).toBe("no-store");
  });

  test("is fresh: a change shows with the next read", async () => {
    const person = await signUp(auth);
    const { accessToken } = await signIn(auth, person);
    const accounts = auth.mongo.collection("accounts");
    for (const name of ["Ada", "Grace"]) {
      await accounts.updateOne({ email: person.email }, { $set: { name } });
      const replies = await Promise.all(Array.from({ length: 5 }, () => getMe(accessToken)));
      expect(new Set(replies.map(({ body }) => body.name))).toEqual(new Set([name]));
    }
  });

  test("answers everybody their own account when many ask at once", async () => {
    const people = await Promise.all(Array.from({ length: 4 }, () => signUp(auth)));
    const sessions = await Promise.all(people.map((person) => signIn(auth, person)));
    const asked = Array.from({ length: 40 }, (_, index) => sessions[index % sessions.length]);
    const replies = await Promise.all(asked.map((session) => getMe(session?.accessToken ?? "")));
    expect(replies.map(({ body }) => body.id)).toEqual(asked.map((session) => session?.account.id));
  });

  test("refuses without a token, with a forged one, and after the account is gone (401)", async () => {
    await request(auth.origin).get("/auth/users/me").expect(401);
    const person = await signUp(auth);
    const { accessToken } = await signIn(auth, person);
    await getMe(`${accessToken.slice(0, -4)}AAAA`).expect(401);
    await auth.mongo.collection("accounts").deleteOne({ email: person.email });
    await getMe(accessToken).expect(401);
  });
});

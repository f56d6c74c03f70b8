import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { createClientStore } from "../clients/client-store.ts";
import { addMember, payloadOf, signIn, signUp } from "../testing/people.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
beforeAll(async () => {
  auth = await startAuth(inject("stores"));
});
afterAll(() => auth.stop());

const ask = (body: object) => request(auth.origin).post("/auth/token-status").send(body);
const statusOf = async (token: string) => (await ask({ token }).expect(200)).body;
const change = (email: string, $set: object) =>
  auth.mongo.collection("accounts").updateOne({ email }, { $set });

describe("token status", () => {
  test("says of a token whose it is, until when, and how the account stands now (200)", async () => {
    const person = await addMember(auth);
    const { accessToken, account, scope } = await signIn(auth, person);
    const reply = await ask({ token: accessToken }).expect(200);
    expect(reply.headers["cache-control"]).toBe("no-store");
    expect(reply.body).toEqual({
      active: true,
      subject: account.id,
      clientId: "portico",
      scope,
      expiresAt: new Date(payloadOf(accessToken).exp * 1000).toISOString(),
      emailVerified: true,
      premium: false,
      premiumUntil: null,
    });
  });

  test("knows what changed since the token was made", async () => {
    const person = await signUp(auth);
    const { accessToken } = await signIn(auth, person);
    expect(await statusOf(accessToken)).toMatchObject({ emailVerified: false, premium: false });
    const premiumUntil = new Date("2099-01-01T00:00:00Z");
    await change(person.email, { emailVerified: true, premiumUntil });
    expect(await statusOf(accessToken)).toMatchObject({
      emailVerified: true,
      premium: true,
      premiumUntil: premiumUntil.toISOString(),
    });
    await change(person.email, { premiumUntil: new Date(Date.now() - 1) });
    expect(await statusOf(accessToken)).toMatchObject({ active: true, premium: false });
  });

  test("answers of a client's own token too", async () => {
    const secret = "a-secret-that-only-tests-use-0123456789";
    await createClientStore(auth.mongo).save({
      client_id: "machine",
      client_secret: secret,
      grant_types: ["client_credentials"],
      response_types: [],
      redirect_uris: [],
      scope: "posts:read",
    });
    const { body } = await request(auth.origin)
      .post("/auth/token")
      .auth("machine", secret)
      .type("form")
      .send({ grant_type: "client_credentials" })
      .expect(200);
    expect(await statusOf(body.access_token)).toMatchObject({
      active: true,
      subject: "machine",
      emailVerified: false,
      premium: false,
    });
  });

  test("is not active after the account is suspended, erased, or the person signed out", async () => {
    const [suspended, erased, gone] = await Promise.all(
      Array.from({ length: 3 }, () => addMember(auth)),
    );
    if (!suspended || !erased || !gone) throw new Error("Nobody signed up.");
    const tokens = [];
    for (const person of [suspended, erased, gone]) tokens.push(await signIn(auth, person));
    for (const { accessToken } of tokens) {
      expect(await statusOf(accessToken)).toMatchObject({ active: true });
    }
    await change(suspended.email, { status: "suspended" });
    await auth.mongo.collection("accounts").deleteOne({ email: erased.email });
    await request(auth.origin)
      .post("/auth/sign-out")
      .set("Authorization", `Bearer ${tokens[2]?.accessToken}`)
      .expect(204);
    for (const { accessToken } of tokens) {
      await expect
        .poll(() => statusOf(accessToken), { timeout: 1_000, interval: 20 })
        .toEqual({ active: false });
    }
  });

  test("is that and nothing more for whatever is no token (200)", async () => {
    const { accessToken } = await signIn(auth, await signUp(auth));
    const [header, payload, signature] = accessToken.split(".");
    const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString("base64url");
    const garbage = [
      "",
      "garbage",
      "a.b.c",
      "ä.ö.ü",
      "....",
      "\0",
      `${header}.${payload}.`,
      `${header}.${payload}`,
      `${none}.${payload}.`,
      `${header}.${payload}.${signature?.replace(/^./, (first) => (first === "A" ? "B" : "A"))}`,
      `${accessToken} ${accessToken}`,
      "a".repeat(50_000),
    ];
    for (const token of garbage) expect(await statusOf(token)).toEqual({ active: false });
  });

  test("asks for a token as text, and for nothing else (400)", async () => {
    for (const [field, body] of [
      ["token", {}],
      ["token", { token: 1 }],
      ["token", { token: { $gt: "" } }],
      ["verbose", { token: "a", verbose: true }],
    ] as const) {
      const reply = await ask(body).expect(400);
      expect(reply.body.errors.map((error: { field: string }) => error.field)).toEqual([field]);
    }
  });
});

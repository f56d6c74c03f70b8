import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { linkOf, newPerson, signIn, signUp, signUpVerified, tokenOf } from "../testing/people.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
beforeAll(async () => {
  auth = await startAuth(inject("stores"));
});
afterAll(() => auth.stop());

const post = (body: string | object) => request(auth.origin).post("/auth/sign-up").send(body);

describe("sign-up", () => {
  test("makes an account that may sign in, and mails a link (202)", async () => {
    const person = newPerson();
    const reply = await post({ ...person, name: " Ada " });
    expect(reply.status).toBe(202);
    expect(reply.body).toEqual({ status: "verification-sent", email: person.email });

    const link = await linkOf(auth, person);
    expect(link.origin).toBe(auth.origin);
    const { account } = await signIn(auth, person);
    expect(account).toMatchObject({
      email: person.email,
      name: "Ada",
      emailVerified: false,
      roles: ["member"],
      premiumUntil: null,
    });
  });

  test("answers the same for a known address, and tells its owner by mail", async () => {
    const owner = await signUpVerified(auth);
    const stranger = await post({ email: owner.email, password: "another good password" });
    const nobody = await post({ ...newPerson() });
    const told = ({ email: _, ...rest }: { email: string }) => rest;
    expect(stranger.status).toBe(nobody.status);
    expect(told(stranger.body)).toEqual(told(nobody.body));

    const mail = await auth.inbox.waitFor({ to: owner.email, subject: "has an account" }, 10_000);
    expect(mail.text).not.toContain("/auth/verify");
    // Nothing about the account was changed.
    await signIn(auth, owner);
  });

  test("sends the link again to who signs up again with the same password", async () => {
    const person = await signUp(auth);
    const first = await tokenOf(auth, person);
    auth.inbox.clear();
    await post(person).expect(202);
    expect(await tokenOf(auth, person)).not.toBe(first);
  });

  test("sends no link for another's password: the owner would verify a stranger's account", async () => {
    const stranger = await signUp(auth);
    await tokenOf(auth, stranger);
    auth.inbox.clear();
    await post({ email: stranger.email, password: "the owner's own password" }).expect(202);
    const mail = await auth.inbox.waitFor({ to: stranger.email }, 10_000);
    expect(mail.subject).toBe("This address has an account");
    expect(mail.text).not.toContain("/auth/verify");
    await signIn(auth, stranger);
  });

  test("of many at once with one address, in any case, leaves one account", async () => {
    const person = newPerson();
    const spellings = [person.email, person.email.toUpperCase()];
    const replies = await Promise.all(
      Array.from({ length: 8 }, (_, i) => post({ ...person, email: spellings[i % 2] })),
    );
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([202]));
    const kept = await auth.mongo.collection("accounts").countDocuments({ email: person.email });
    expect(kept).toBe(1);
  });

  test("keeps the link's token out of events, Redis and the log", async () => {
    const token = await tokenOf(auth, await signUp(auth));
    const outbox = await auth.mongo.collection("outbox").find().toArray();
    const stream = await auth.redis.xrange("events:auth", "-", "+");
    const links = await auth.mongo.collection("links").find().toArray();
    expect(links.length).toBeGreaterThan(0);
    expect(outbox.length).toBeGreaterThan(0);
    expect(stream.length).toBeGreaterThan(0);
    expect(JSON.stringify([outbox, stream, links, auth.logged()])).not.toContain(token);
  });

  test("keeps a password as argon2id of stated cost, and in no log", async () => {
    const person = await signUp(auth);
    const kept = await auth.mongo.collection("accounts").findOne({ email: person.email });
    expect(kept?.passwordHash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(auth.logged()).not.toContain(person.password);
    expect(auth.logged()).not.toContain(person.email);
  });

  test.each([
    ["email", { email: "nobody" }],
    ["email", { email: { $gt: "" } }],
    ["email", { email: ["a@portico.example"] }],
    ["email", { email: "ada@portico.example\nbcc: x@y.example" }],
    ["email", { email: "jo\u212A@portico.example" }],
    ["password", { password: "short" }],
    ["password", { password: "ab".repeat(65) }],
    ["password", { password: "Password123" }],
    ["password", { password: { $gt: "" } }],
    ["name", { name: "" }],
    ["name", { name: "Ada\r\nBcc: x@y.example" }],
    ["roles", { roles: ["admin"] }],
    ["emailVerified", { emailVerified: true }],
  ])("names the wrong field %s of %j (400)", async (field, wrong) => {
    const reply = await post({ ...newPerson(), ...wrong });
    expect(reply.status).toBe(400);
    expect(reply.body.errors.map((error: { field: string }) => error.field)).toEqual([field]);
  });

  test("names every wrong field at once (400)", async () => {
    const { body } = await post({}).expect(400);
    expect(body.errors.map((error: { field: string }) => error.field)).toEqual([
      "email",
      "password",
    ]);
  });

  test("refuses what is not JSON (400), too large (413), of another type (415)", async () => {
    await post("{").type("json").expect(400);
    await post(`{"email":"${"a".repeat(200_000)}"}`)
      .type("json")
      .expect(413);
    await post("<email/>").type("xml").expect(415);
  });

  test("refuses another method (405)", async () => {
    const reply = await request(auth.origin).put("/auth/sign-up").expect(405);
    expect(reply.headers.allow).toBe("GET, HEAD, POST");
  });
});

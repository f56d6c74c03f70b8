import { createBrowser } from "@portico/dev-env";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { linkOf, type Person, signIn, signUp, signUpVerified, tokenOf } from "../testing/people.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
beforeAll(async () => {
  auth = await startAuth(inject("stores"));
});
afterAll(() => auth.stop());

const post = (body: string | object) => request(auth.origin).post("/auth/verify").send(body);
const isVerified = async (person: Person) =>
  (await auth.mongo.collection("accounts").findOne({ email: person.email }))?.emailVerified;
const expireLinks = () =>
  auth.mongo.collection("links").updateMany({}, { $set: { expiresAt: new Date(1) } });
const never = "x".repeat(43);

describe("verify", () => {
  test("verifies the address with the token of its link (200)", async () => {
    const person = await signUp(auth);
    const { body } = await post({ token: await tokenOf(auth, person) }).expect(200);
    expect(body).toEqual({ status: "verified" });
    expect(await isVerified(person)).toBe(true);
  });

  test("works once, also for two at once", async () => {
    const token = await tokenOf(auth, await signUp(auth));
    const replies = await Promise.all([post({ token }), post({ token }), post({ token })]);
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 400, 400]);
    expect((await post({ token }).expect(400)).body.code).toBe("used-link");
  });

  test("refuses an unknown link and an expired one, and says which (400)", async () => {
    expect((await post({ token: never }).expect(400)).body.code).toBe("unknown-link");
    const person = await signUp(auth);
    const token = await tokenOf(auth, person);
    await expireLinks();
    expect((await post({ token }).expect(400)).body.code).toBe("expired-link");
    expect(await isVerified(person)).toBe(false);
  });

  test("proves only the address that the link went to", async () => {
    const person = await signUp(auth);
    const token = await tokenOf(auth, person);
    const moved = { ...person, email: `moved-${person.email}` };
    await auth.mongo
      .collection("accounts")
      .updateOne({ email: person.email }, { $set: { email: moved.email } });
    await post({ token });
    expect(await isVerified(moved)).toBe(false);
  });

  test.each([
    ["token", { token: { $gt: "" } }],
    ["token", { token: "short" }],
    ["token", {}],
    ["email", { token: never, email: "a@portico.example" }],
  ])("names the wrong field %s of %j (400)", async (field, wrong) => {
    const { body } = await post(wrong).expect(400);
    expect(body.errors.map((error: { field: string }) => error.field)).toEqual([field]);
  });

  test("refuses what is not JSON (400), too large (413), of another type (415), another method (405)", async () => {
    await post("{").type("json").expect(400);
    await post(`{"token":"${"a".repeat(200_000)}"}`)
      .type("json")
      .expect(413);
    await post("<token/>").type("xml").expect(415);
    await request(auth.origin).put("/auth/verify").expect(405);
  });
});

describe("the page of the link", () => {
  const press = async (token: string) => {
    const browser = createBrowser(auth.origin);
    return browser.submit(await browser.open(`/auth/verify?token=${token}`));
  };

  test("shows a button and verifies nothing: scanners open links by themselves", async () => {
    const person = await signUp(auth);
    const link = await linkOf(auth, person);
    const reply = await request(auth.origin)
      .get(link.pathname + link.search)
      .expect(200);
    expect(reply.type).toBe("text/html");
    expect(reply.text).toContain('<form method="post" action="/auth/verify">');
    expect(reply.text).not.toMatch(/<script|style=/);
    const policy = reply.headers["content-security-policy"];
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe");
    expect(reply.headers["referrer-policy"]).toBe("no-referrer");
    expect(await isVerified(person)).toBe(false);
  });

  test("its button verifies, once, without JavaScript", async () => {
    const person = await signUp(auth);
    const token = await tokenOf(auth, person);
    const first = await press(token);
    expect([first.status, first.body]).toEqual([200, expect.stringContaining("Thank you")]);
    expect(await isVerified(person)).toBe(true);
    const second = await press(token);
    expect([second.status, second.body]).toEqual([
      400,
      expect.stringContaining("Verified already"),
    ]);
  });

  test("says in words what is wrong with a link", async () => {
    const unknown = await press(never);
    expect(unknown).toMatchObject({ status: 400 });
    expect(unknown.body).toContain("no such link");
    const token = await tokenOf(auth, await signUp(auth));
    await expireLinks();
    const expired = await press(token);
    expect(expired).toMatchObject({ status: 400 });
    expect(expired.body).toContain("has expired");
  });

  test("puts nothing of the address into the page unescaped", async () => {
    const query = `token=${encodeURIComponent('"><script>alert(1)</script>')}`;
    const { text } = await request(auth.origin).get(`/auth/verify?${query}`).expect(200);
    expect(text).not.toContain("<script");
  });

  test("its form needs no cookie: the token of the link is the right to send it", async () => {
    const person = await signUp(auth);
    const page = await createBrowser(auth.origin).open(await linkOf(auth, person));
    expect((await createBrowser(auth.origin).submit(page)).status).toBe(200);
    expect(await isVerified(person)).toBe(true);
  });

  test("refuses a form that another site sends (403), and a huge one (413)", async () => {
    const form = () => request(auth.origin).post("/auth/verify").type("form");
    await form().set("Sec-Fetch-Site", "cross-site").send({ token: never }).expect(403);
    await form()
      .send({ token: "a".repeat(50_000) })
      .expect(413);
  });
});

describe("verification", () => {
  const ask = (token: string) =>
    request(auth.origin).post("/auth/verification").set("Authorization", `Bearer ${token}`);

  test("sends the link again (202)", async () => {
    const person = await signUp(auth);
    const first = await tokenOf(auth, person);
    const { accessToken } = await signIn(auth, person);
    auth.inbox.clear();
    await ask(accessToken).expect(202);
    const second = await tokenOf(auth, person);
    expect(second).not.toBe(first);
    await post({ token: second }).expect(200);
  });

  test("refuses when the address is verified already (409), and without a token (401)", async () => {
    const { accessToken } = await signIn(auth, await signUpVerified(auth));
    expect((await ask(accessToken).expect(409)).body.code).toBe("already-verified");
    await request(auth.origin).post("/auth/verification").expect(401);
  });
});

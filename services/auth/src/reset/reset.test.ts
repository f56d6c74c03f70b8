import { createBrowser } from "@portico/dev-env";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { addMember, newPerson, type Person, signIn, signUp } from "../testing/people.ts";
import { createRelyingParty } from "../testing/relying-party.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
beforeAll(async () => {
  auth = await startAuth(inject("stores"));
});
afterAll(() => auth.stop());

const ask = (email: string) => request(auth.origin).post("/auth/password-resets").send({ email });
const reset = (body: object) => request(auth.origin).post("/auth/reset").send(body);
const me = (token: string) =>
  request(auth.origin).get("/auth/users/me").set("Authorization", `Bearer ${token}`);
const accountOf = ({ email }: Person) => auth.mongo.collection("accounts").findOne({ email });

/** The link of the newest mail about a reset. */
async function linkFor({ email }: Person): Promise<URL> {
  await ask(email).expect(202);
  const mail = await auth.inbox.waitFor({ to: email, subject: "Choose a new password" }, 10_000);
  return new URL(mail.links.find((link) => link.includes("/auth/reset?")) ?? "");
}

const tokenFor = async (person: Person) => (await linkFor(person)).searchParams.get("token") ?? "";

const password = "a better one by far";
const never = "x".repeat(43);

describe("a reset", () => {
  test("by the link of the mail gives another password, and takes the old one away (200)", async () => {
    const person = await addMember(auth);
    const { body } = await reset({ token: await tokenFor(person), password }).expect(200);
    expect(body).toEqual({ status: "password-changed" });
    await signIn(auth, { ...person, password });
    await request(auth.origin)
      .post("/auth/sign-in")
      .send({ email: person.email, password: person.password })
      .expect(401);
  });

  test("tells the owner that it happened", async () => {
    const person = await addMember(auth);
    await reset({ token: await tokenFor(person), password }).expect(200);
    const mail = await auth.inbox.waitFor({ to: person.email, subject: "was changed" }, 10_000);
    expect(mail.links).toEqual([`${auth.origin}/auth/forgot-password`]);
  });

  test("works once, also for two at once", async () => {
    const token = await tokenFor(await addMember(auth));
    const replies = await Promise.all([
      reset({ token, password }),
      reset({ token, password: "another one by far" }),
    ]);
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 400]);
    expect((await reset({ token, password }).expect(400)).body.code).toBe("used-link");
  });

  test("ends every session, every refresh token and every access token, and nobody else's", async () => {
    const [person, other] = [await addMember(auth), await addMember(auth)];
    const client = await createRelyingParty(auth, "reset-client");
    const browser = createBrowser(auth.origin);
    const tokens = await client.signIn(person, "openid offline_access", browser);
    const { accessToken } = await signIn(auth, person);
    const others = await signIn(auth, other);
    await me(accessToken).expect(200);

    await reset({ token: await tokenFor(person), password }).expect(200);
    await expect(client.refresh(tokens.refresh_token ?? "")).rejects.toThrow();
    await expect
      .poll(async () => (await me(accessToken)).status, { timeout: 1_000, interval: 20 })
      .toBe(401);
    await me(tokens.access_token).expect(401);
    await me(others.accessToken).expect(200);
    const sessions = auth.mongo.collection("sessions");
    const { _id } = (await accountOf(person)) ?? {};
    expect(await sessions.countDocuments({ "payload.accountId": _id })).toBe(0);
  });

  test("proves the address, and lets an owner in whose address a stranger signed up with", async () => {
    const stranger = await signUp(auth);
    const held = await signIn(auth, stranger);
    const accountId = held.account.id;
    const factors = auth.mongo.collection<{ _id: string }>("secondFactors");
    const identities = auth.mongo.collection("linkedIdentities");
    await factors.insertOne({ _id: accountId, passkeys: [] } as never);
    await identities.insertOne({ accountId, issuer: "https://idp.example", subject: "stranger" });

    const owner = { email: stranger.email, password };
    await reset({ token: await tokenFor(owner), password }).expect(200);
    const { account } = await signIn(auth, owner);
    expect(account).toMatchObject({ id: accountId, emailVerified: true });
    await expect
      .poll(async () => (await me(held.accessToken)).status, { timeout: 1_000, interval: 20 })
      .toBe(401);
    expect(await factors.countDocuments({ _id: accountId })).toBe(0);
    expect(await identities.countDocuments({ accountId })).toBe(0);
  });

  test("leaves second factors where the address was proved before: a mailbox is one factor only", async () => {
    const person = await addMember(auth);
    const { account } = await signIn(auth, person);
    const factors = auth.mongo.collection<{ _id: string }>("secondFactors");
    await factors.insertOne({ _id: account.id, passkeys: [] } as never);
    await reset({ token: await tokenFor(person), password }).expect(200);
    expect(await factors.countDocuments({ _id: account.id })).toBe(1);
  });

  test("lets the owner in at once, whatever was guessed before", async () => {
    const person = await addMember(auth);
    for (let n = 0; n < 9; n += 1) {
      await request(auth.origin)
        .post("/auth/sign-in")
        .send({ email: person.email, password: "not the password" });
    }
    await request(auth.origin).post("/auth/sign-in").send(person).expect(429);
    await reset({ token: await tokenFor(person), password }).expect(200);
    await signIn(auth, { ...person, password });
  });

  test("of an account without a password gives it one", async () => {
    const person = await addMember(auth);
    await auth.mongo
      .collection("accounts")
      .updateOne({ email: person.email }, { $set: { passwordHash: null } });
    await reset({ token: await tokenFor(person), password }).expect(200);
    await signIn(auth, { ...person, password });
  });

  test("a newer request ends the older link", async () => {
    const person = await addMember(auth);
    const older = await tokenFor(person);
    auth.inbox.clear();
    const newer = await tokenFor(person);
    expect((await reset({ token: older, password }).expect(400)).body.code).toBe("unknown-link");
    await reset({ token: newer, password }).expect(200);
  });

  test("refuses an unknown link, an expired one, one of another purpose, and changes nothing (400)", async () => {
    const person = await signUp(auth);
    const verify = await auth.inbox.waitFor({ to: person.email, subject: "Verify" }, 10_000);
    const other = new URL(verify.links[0] ?? "").searchParams.get("token");
    const token = await tokenFor(person);
    expect((await reset({ token: never, password }).expect(400)).body.code).toBe("unknown-link");
    expect((await reset({ token: other, password }).expect(400)).body.code).toBe("unknown-link");
    await request(auth.origin).post("/auth/verify").send({ token }).expect(400);
    await auth.mongo.collection("links").updateMany({}, { $set: { expiresAt: new Date(1) } });
    expect((await reset({ token, password }).expect(400)).body.code).toBe("expired-link");
    await signIn(auth, person);
  });

  test("proves only the address that the link went to", async () => {
    const person = await addMember(auth);
    const token = await tokenFor(person);
    const moved = `moved-${person.email}`;
    await auth.mongo
      .collection("accounts")
      .updateOne({ email: person.email }, { $set: { email: moved } });
    await reset({ token, password }).expect(400);
    await signIn(auth, { ...person, email: moved });
  });

  test("refuses a password that is easy to guess, and leaves the link as it was (400)", async () => {
    const person = await addMember(auth);
    const token = await tokenFor(person);
    const local = person.email.split("@")[0] ?? "";
    for (const easy of ["short", "Password123", local]) {
      const { body } = await reset({ token, password: easy }).expect(400);
      expect(body.errors.map(({ field }: { field: string }) => field)).toEqual(["password"]);
    }
    await reset({ token, password }).expect(200);
  });

  test("is not for whoever is suspended: no mail", async () => {
    const person = await addMember(auth);
    await auth.mongo
      .collection("accounts")
      .updateOne({ email: person.email }, { $set: { status: "suspended" } });
    await ask(person.email).expect(202);
    // Events of one stream are handled in turn: when this mail is there, the other would be.
    await linkFor(await addMember(auth));
    expect(auth.inbox.messages({ to: person.email, subject: "Choose" })).toEqual([]);
  });

  test.each([
    ["email", "password-resets", { email: { $gt: "" } }],
    ["email", "password-resets", { email: "nobody" }],
    ["email", "password-resets", {}],
    ["token", "reset", { token: { $gt: "" }, password }],
    ["token", "reset", { password }],
    ["password", "reset", { token: never }],
    ["roles", "reset", { token: never, password, roles: ["admin"] }],
  ])("names the wrong field %s at %s of %j (400)", async (field, path, wrong) => {
    const { body } = await request(auth.origin).post(`/auth/${path}`).send(wrong).expect(400);
    expect(body.errors.map((error: { field: string }) => error.field)).toEqual([field]);
  });

  test("refuses what is not JSON (400), too large (413), of another type (415), another method (405)", async () => {
    for (const path of ["/auth/password-resets", "/auth/reset"]) {
      const post = () => request(auth.origin).post(path);
      await post().type("json").send("{").expect(400);
      await post()
        .type("json")
        .send(`{"token":"${"a".repeat(200_000)}"}`)
        .expect(413);
      await post().type("xml").send("<token/>").expect(415);
      await request(auth.origin).put(path).expect(405);
    }
  });
});

describe("the pages of a reset", () => {
  test("take somebody from the question to a new password, without JavaScript", async () => {
    const person = await addMember(auth);
    const browser = createBrowser(auth.origin);
    const question = await browser.open("/auth/forgot-password");
    expect(question.body).not.toMatch(/<script|style=/);
    const asked = await browser.submit(question, { email: person.email });
    expect(asked.body).toContain("mail is on its way");

    const mail = await auth.inbox.waitFor({ to: person.email, subject: "Choose" }, 10_000);
    const form = await browser.open(mail.links[0] ?? "");
    expect(form.body).not.toMatch(/<script|style=/);
    expect(form.headers.get("content-security-policy")).toContain("default-src 'none'");
    const easy = await browser.submit(form, { password: "password123" });
    expect([easy.status, easy.body]).toEqual([400, expect.stringContaining("Too easy to guess")]);
    const done = await browser.submit(easy, { password });
    expect([done.status, done.body]).toEqual([200, expect.stringContaining("Password changed")]);
    await signIn(auth, { ...person, password });

    const again = await browser.submit(form, { password });
    expect([again.status, again.body]).toEqual([400, expect.stringContaining("used already")]);
  });

  test("opening the link changes nothing, and no page tells others its token", async () => {
    const person = await addMember(auth);
    const link = await linkFor(person);
    const token = link.searchParams.get("token") ?? "";
    for (let n = 0; n < 3; n += 1) {
      const reply = await request(auth.origin)
        .get(link.pathname + link.search)
        .expect(200);
      expect(reply.headers["referrer-policy"]).toBe("no-referrer");
      expect(reply.headers["cache-control"]).toBe("no-store");
      const hrefs = [...reply.text.matchAll(/(?:href|src|action)="([^"]*)"/g)].map(([, to]) => to);
      expect(hrefs.filter((to) => to?.includes(token))).toEqual([]);
    }
    await reset({ token, password }).expect(200);
    expect(auth.logged()).not.toContain(token);
  });

  test("keep what is typed, when it is no address", async () => {
    const browser = createBrowser(auth.origin);
    const page = await browser.open("/auth/forgot-password");
    const refused = await browser.submit(page, { email: '"><b>nobody' });
    expect(refused.status).toBe(400);
    expect(refused.body).toContain('value="&quot;&gt;&lt;b&gt;nobody"');
    expect(refused.body).toContain("not an e-mail address");
  });

  test("say in words what is wrong with a link", async () => {
    const browser = createBrowser(auth.origin);
    const unknown = await browser.submit(await browser.open(`/auth/reset?token=${never}`), {
      password,
    });
    expect([unknown.status, unknown.body]).toEqual([400, expect.stringContaining("no such link")]);
    const garbage = await browser.submit(await browser.open("/auth/reset?token=%22%3E%3Cb"), {
      password,
    });
    expect([garbage.status, garbage.body]).toEqual([400, expect.stringContaining("no such link")]);
  });

  test("refuse a form that another site sends, and a question shown to another browser (403)", async () => {
    const form = (path: string) => request(auth.origin).post(path).type("form");
    const sent = { token: never, password, email: "ada@portico.example" };
    for (const path of ["/auth/reset", "/auth/forgot-password"]) {
      await form(path).set("Sec-Fetch-Site", "cross-site").send(sent).expect(403);
    }
    await form("/auth/forgot-password").send(sent).expect(403);
  });

  test("the link's own token is the right to send its form: no cookie is needed", async () => {
    const person = await addMember(auth);
    const page = await createBrowser(auth.origin).open(await linkFor(person));
    expect((await createBrowser(auth.origin).submit(page, { password })).status).toBe(200);
  });

  test("leave no token in the address of the page that says what is wrong", async () => {
    const page = await createBrowser(auth.origin).open(`/auth/reset?token=${never}`);
    const refused = await createBrowser(auth.origin).submit(page, { password });
    expect(refused.url.search).toBe("");
  });
});

test("asking for a reset > of an unknown address answers the same, and mails nobody", async () => {
  const [known, unknown] = [await addMember(auth), newPerson()];
  const replies = [await ask(known.email).expect(202), await ask(unknown.email).expect(202)];
  expect(replies.map(({ text }) => text)).toEqual(Array(2).fill('{"status":"reset-requested"}'));
  await auth.inbox.waitFor({ to: known.email, subject: "Choose" }, 10_000);
  expect(auth.inbox.messages({ to: unknown.email })).toEqual([]);
});

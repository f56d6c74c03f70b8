import { type Browser, createBrowser, type Visit } from "@portico/dev-env";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { faultsOf } from "../testing/page-faults.ts";
import { addMember, linkOf, type Person, setRoles, signIn, signUp } from "../testing/people.ts";
import { codeOn, idOf, signUpWithApp, submitPasskey } from "../testing/second-factors.ts";
import { createAuthenticator } from "../testing/software-authenticator.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
beforeAll(async () => {
  auth = await startAuth(inject("stores"), { SECOND_FACTOR_ROLES: "admin" });
});
afterAll(() => auth.stop());

const titleOf = ({ body }: Visit) => /<h1>(.*)<\/h1>/.exec(body)?.[1];
const tokenOn = ({ body }: Visit) => /form_token" value="([^"]+)"/.exec(body)?.[1] ?? "";
const sessionCookie = ({ cookies }: Browser) =>
  cookies.find(({ name }) => name === "_session")?.value;

/** A browser in which the person is signed in, and the page that it was on its way to. */
async function visit({ email, password }: Person, path = "") {
  const browser = createBrowser(auth.origin);
  const signInPage = await browser.open(`/auth/account${path}`);
  expect(titleOf(signInPage)).toBe("Sign in");
  return { browser, page: await browser.submit(signInPage, { email, password }) };
}

const setSession = async (person: Person, change: Record<string, unknown>) =>
  auth.mongo
    .collection("sessions")
    .updateMany({ "payload.accountId": await idOf(auth, person) }, { $set: change });

const anHourPasses = (person: Person) =>
  setSession(person, { "payload.loginTs": Math.floor(Date.now() / 1000) - 3600 });

const accountOf = ({ email }: Person) => auth.mongo.collection("accounts").findOne({ email });

const isSignedIn = async (browser: Browser) =>
  titleOf(await browser.open("/auth/account")) === "Your account";

describe("the account page", () => {
  test("leads who is not signed in there, and back", async () => {
    const { page } = await visit(await addMember(auth));
    expect([page.url.pathname, page.status]).toEqual(["/auth/account", 200]);
    expect(page.headers.get("cache-control")).toBe("no-store");
  });

  test("leads back to the page that somebody wanted, and to no other site", async () => {
    const { browser, page } = await visit(await addMember(auth), "/security");
    expect(page.url.pathname).toBe("/auth/account/security");
    const elsewhere = await browser.open("/auth/account/signed-in?state=//evil.example");
    expect(elsewhere.url.href).toBe(`${auth.origin}/auth/account`);
  });

  test("says so when somebody cancels", async () => {
    const browser = createBrowser(auth.origin);
    const signInPage = await browser.open("/auth/account");
    const back = await browser.submit(signInPage, { cancel: "yes" });
    expect(titleOf(back)).toBe("You are not signed in");
    expect(await isSignedIn(browser)).toBe(false);
  });

  test("gives out no code and no token", async () => {
    const browser = createBrowser(auth.origin);
    const signInPage = await browser.open("/auth/account");
    const person = await addMember(auth);
    const sent = await request(auth.origin)
      .post(signInPage.url.pathname)
      .set("Cookie", browser.cookies.map(({ name, value }) => `${name}=${value}`).join("; "))
      .type("form")
      .send({ ...person, form_token: tokenOn(signInPage) });
    expect(sent.status).toBe(303);
    for (const name of ["authorizationCodes", "refreshTokenFamilies"]) {
      const accountId = await idOf(auth, person);
      expect(await auth.mongo.collection(name).countDocuments({ accountId })).toBe(0);
    }
  });

  test("is nobody's whose account is suspended, or gone", async () => {
    const person = await addMember(auth);
    const { browser } = await visit(person);
    const accounts = auth.mongo.collection("accounts");
    await accounts.updateOne({ email: person.email }, { $set: { status: "suspended" } });
    expect(await isSignedIn(browser)).toBe(false);
    await accounts.deleteOne({ email: person.email });
    expect(await isSignedIn(browser)).toBe(false);
  });

  test("asks for the second factor that was added elsewhere since", async () => {
    const person = await addMember(auth);
    const [one, other] = [await visit(person), await visit(person, "/security")];
    const added = await other.browser.submit(
      other.page,
      { otp: codeOn(other.page) },
      "/authenticator",
    );
    expect(titleOf(added)).toBe("Recovery codes");
    expect(await isSignedIn(other.browser)).toBe(true);
    expect(titleOf(await one.browser.open("/auth/account"))).toBe("Second step");
  });
});

describe("the profile", () => {
  test("has a name that can be changed and taken away, and is shown as it is", async () => {
    const person = await addMember(auth);
    const { browser, page } = await visit(person);
    const name = `<b>"Ann" & 'Bo'</b>`;
    const saved = await browser.submit(page, { name }, "/profile");
    expect(saved.body).toMatch(/role="status">Your name is saved/);
    expect(saved.body).toContain("&lt;b&gt;&quot;Ann&quot; &amp; &#39;Bo&#39;&lt;/b&gt;");
    expect(await accountOf(person)).toMatchObject({ name });
    await browser.submit(saved, { name: "" }, "/profile");
    expect(await accountOf(person)).toMatchObject({ name: null });
  });

  test("takes no name that is too long, and nothing but the name", async () => {
    const person = await addMember(auth);
    const { browser, page } = await visit(person);
    const refused = await browser.submit(page, { name: "a".repeat(101) }, "/profile");
    expect(refused.status).toBe(400);
    await browser.submit(page, { name: "A", roles: "admin", emailVerified: "no" }, "/profile");
    expect(await accountOf(person)).toMatchObject({ name: "A", roles: ["member"] });
  });

  test("sends the verification link again, only to who needs it", async () => {
    const person = await signUp(auth);
    await linkOf(auth, person);
    auth.inbox.clear();
    const { browser, page } = await visit(person);
    expect(page.body).toContain("not verified yet");
    await browser.submit(page, {}, "/verification");
    await linkOf(auth, person);
    expect((await visit(await addMember(auth))).page.body).not.toContain("/verification");
  });
});

describe("how one signs in", () => {
  test("is shown only to who has signed in just now", async () => {
    const person = await addMember(auth);
    const { browser } = await visit(person);
    expect(titleOf(await browser.open("/auth/account/security"))).toBe("How you sign in");
    await anHourPasses(person);
    expect(await isSignedIn(browser)).toBe(true);
    const again = await browser.open("/auth/account/security");
    expect(titleOf(again)).toBe("Sign in");
    const page = await browser.submit(again, { email: person.email, password: person.password });
    expect(titleOf(page)).toBe("How you sign in");
  });

  test("is not changed later, by a page that stayed open", async () => {
    const person = await addMember(auth);
    const { browser, page } = await visit(person);
    const before = await accountOf(person);
    await anHourPasses(person);
    const changes: Record<string, Record<string, string>> = {
      "/password": { currentPassword: person.password, password: "another long password" },
      "/authenticator": { otp: "000000" },
      "/authenticator/remove": {},
      "/passkeys": { passkey: "{}" },
      "/passkeys/remove": { passkey: "x" },
      "/recovery-codes": {},
      "/identities/unlink": { identity: "x" },
      "/export": {},
      "/delete": {},
    };
    for (const [path, fields] of Object.entries(changes)) {
      const form = { ...page, body: `<form method="post" action="/auth/account${path}"></form>` };
      const answer = await browser.submit(form, { form_token: tokenOn(page), ...fields });
      expect([path, titleOf(answer)]).toEqual([path, "Sign in"]);
    }
    expect(await accountOf(person)).toEqual(before);
  });

  test("a password: says what is wrong with the old one or the new one", async () => {
    const { browser, page } = await visit(await addMember(auth), "/security");
    const change = (currentPassword: string, password: string) =>
      browser.submit(page, { currentPassword, password }, "/password");
    const wrong = await change("not the password", "another long password");
    expect([wrong.status, wrong.body]).toEqual([403, expect.stringContaining("is wrong")]);
    const weak = await change("not the password", "password");
    expect([weak.status, weak.body]).toEqual([400, expect.stringContaining("Too easy to guess")]);
  });

  test("a password: changed, it ends every session, this one too", async () => {
    const person = await addMember(auth);
    const other = await visit(person);
    const { accessToken } = await signIn(auth, person);
    const { browser, page } = await visit(person, "/security");
    const password = "another long password";
    const done = await browser.submit(
      page,
      { currentPassword: person.password, password },
      "/password",
    );
    expect(titleOf(done)).toBe("Password changed");
    expect(await isSignedIn(browser)).toBe(false);
    expect(await isSignedIn(other.browser)).toBe(false);
    await request(auth.origin)
      .get("/auth/users/me")
      .set("Authorization", `Bearer ${accessToken}`)
      .expect(401);
    await signIn(auth, { ...person, password });
  });

  test("an authenticator app: added, it is needed; its owner is told; the session gets another id", async () => {
    const person = await addMember(auth);
    const { browser, page } = await visit(person, "/security");
    const before = browser.cookies.map((cookie) => ({ ...cookie }));
    const wrong = await browser.submit(page, { otp: "000000" }, "/authenticator");
    expect([wrong.status, codeOn(wrong)]).toEqual([400, codeOn(page)]);
    const codes = await browser.submit(wrong, { otp: codeOn(wrong) }, "/authenticator");
    expect(codes.body.match(/<li><code>/g)).toHaveLength(10);
    await auth.inbox.waitFor({ to: person.email, subject: "How you sign in was changed" }, 10_000);

    expect(sessionCookie(browser)).not.toBe(before.find(({ name }) => name === "_session")?.value);
    expect(await isSignedIn(browser)).toBe(true);
    const thief = createBrowser(auth.origin);
    thief.cookies.push(...before);
    expect(await isSignedIn(thief)).toBe(false);
    expect(titleOf((await visit(person)).page)).toBe("Second step");
  });

  test("an authenticator app: removed, it is needed no more, and everybody else is out", async () => {
    const person = await signUpWithApp(auth);
    const open = async (path: string) => {
      const { browser, page } = await visit(person, path);
      return { browser, page: await browser.submit(page, { otp: await person.nextCode() }) };
    };
    const [other, { browser, page }] = [await open(""), await open("/security")];
    const removed = await browser.submit(page, {}, "/authenticator/remove");
    expect(removed.body).toContain("The authenticator app is removed");
    expect(removed.body).not.toContain("Recovery codes");
    expect([await isSignedIn(browser), await isSignedIn(other.browser)]).toEqual([true, false]);
    await signIn(auth, person);
    const again = await browser.submit(page, {}, "/authenticator/remove");
    expect([again.status, again.body]).toEqual([404, expect.stringContaining("no such second")]);
  });

  test("a passkey: added and removed by its owner, and by nobody else", async () => {
    const person = await addMember(auth);
    const { browser, page } = await visit(person, "/security");
    const device = createAuthenticator(auth.origin);
    const codes = await submitPasskey(browser, page, device, "create", { name: "<My> phone" });
    expect(titleOf(codes)).toBe("Recovery codes");
    const listed = await browser.open("/auth/account/security");
    expect(listed.body).toContain("&lt;My&gt; phone");

    const [, passkey = ""] = /name="passkey" value="([^"]+)"/.exec(listed.body) ?? [];
    const thief = await visit(await addMember(auth), "/security");
    const body = thief.page.body.replaceAll('/authenticator"', '/passkeys/remove"');
    const form = { ...thief.page, body };
    const refused = await thief.browser.submit(form, { passkey }, "/passkeys/remove");
    expect(refused.status).toBe(404);
    const removed = await browser.submit(listed, { passkey }, "/passkeys/remove");
    expect(removed.body).toContain("The passkey is removed");
    expect(removed.body).not.toContain("phone");
  });

  test("a passkey: the last way into an account stays (409)", async () => {
    const person = await addMember(auth);
    const { browser, page } = await visit(person, "/security");
    await submitPasskey(browser, page, createAuthenticator(auth.origin), "create");
    const accounts = auth.mongo.collection("accounts");
    await accounts.updateOne({ email: person.email }, { $set: { passwordHash: null } });
    const listed = await browser.open("/auth/account/security");
    expect(listed.body).toContain("Mail me a link");
    const [, passkey = ""] = /name="passkey" value="([^"]+)"/.exec(listed.body) ?? [];
    const refused = await browser.submit(listed, { passkey }, "/passkeys/remove");
    expect([refused.status, refused.body]).toEqual([409, expect.stringContaining("Nothing else")]);
  });

  test("a second factor that a role needs stays (409)", async () => {
    const person = await signUpWithApp(auth);
    const { browser, page } = await visit(person, "/security");
    const security = await browser.submit(page, { otp: await person.nextCode() });
    await setRoles(auth, person, ["admin"]);
    const refused = await browser.submit(security, {}, "/authenticator/remove");
    expect([refused.status, refused.body]).toEqual([409, expect.stringContaining("A role of")]);
    await setRoles(auth, person, ["member"]);
    expect((await browser.submit(security, {}, "/authenticator/remove")).status).toBe(200);
  });

  test("recovery codes: new ones replace the old", async () => {
    const person = await signUpWithApp(auth);
    const { browser, page } = await visit(person, "/security");
    const security = await browser.submit(page, { otp: await person.nextCode() });
    const codes = await browser.submit(security, {}, "/recovery-codes");
    const [, recoveryCode = ""] = /<li><code>([^<]+)/.exec(codes.body) ?? [];
    const post = (code: string) =>
      request(auth.origin)
        .post("/auth/sign-in")
        .send({ email: person.email, password: person.password, recoveryCode: code });
    await post(person.recoveryCodes[0] ?? "").expect(401);
    await post(recoveryCode).expect(200);
  });
});

describe("sessions", () => {
  test("are listed with their devices, and ended one by one or all but this one", async () => {
    const person = await addMember(auth);
    const [first, second, third] = [await visit(person), await visit(person), await visit(person)];
    const list = await first.browser.open("/auth/account");
    expect(list.body.match(/this browser/g)).toHaveLength(1);
    const [session = ""] = /(?<=name="session" value=")[^"]+/.exec(list.body) ?? [];
    const ended = await first.browser.submit(list, { session }, "/sessions/end");
    expect(ended.body).toContain("That device is signed out");
    const left = [await isSignedIn(second.browser), await isSignedIn(third.browser)];
    expect(left.filter(Boolean)).toHaveLength(1);

    await first.browser.submit(ended, {}, "/sessions/end-others");
    expect(await isSignedIn(first.browser)).toBe(true);
    expect(await isSignedIn(second.browser)).toBe(false);
    expect(await isSignedIn(third.browser)).toBe(false);
  });

  test("of other people are not ended", async () => {
    const [one, other] = [await addMember(auth), await addMember(auth)];
    const [mine, theirs] = [await visit(one), await visit(other)];
    await visit(one);
    const list = await mine.browser.open("/auth/account");
    const found = await auth.mongo
      .collection("sessions")
      .findOne({ "payload.accountId": await idOf(auth, other) });
    await mine.browser.submit(list, { session: found?.uid }, "/sessions/end");
    expect(await isSignedIn(theirs.browser)).toBe(true);
  });
});

test("the person's data > is collected, and downloaded by who has signed in just now", async () => {
  const person = await addMember(auth);
  const { browser, page } = await visit(person, "/export");
  const early = await browser.open("/auth/account/export/data");
  expect([early.status, early.body]).toEqual([404, expect.stringContaining("nothing to download")]);
  expect((await browser.submit(page)).body).toContain("Being collected");

  await auth.mongo
    .collection("exports")
    .updateOne({ accountId: await idOf(auth, person) }, { $set: { readyAt: new Date() } });
  const ready = await browser.open("/auth/account/export");
  expect(ready.body).toContain("Download it");
  const data = await browser.open("/auth/account/export/data");
  expect(data.headers.get("content-disposition")).toContain("attachment");
  expect(Object.keys(JSON.parse(data.body))).toContain("auth");
  await anHourPasses(person);
  expect(titleOf(await browser.open("/auth/account/export/data"))).toBe("Sign in");
});

test("deleting the account > asks first, and is done then", async () => {
  const person = await addMember(auth);
  const { browser } = await visit(person);
  const question = await browser.open("/auth/account/delete");
  expect(question.body).toContain(person.email);
  const done = await browser.submit(question);
  expect(titleOf(done)).toBe("Your account is deleted");
  expect(await accountOf(person)).toBeNull();
  expect(await isSignedIn(browser)).toBe(false);
});

test("every form > is refused when another site made it (403)", async () => {
  const person = await addMember(auth);
  const { browser, page } = await visit(person, "/security");
  const theirs = tokenOn((await visit(await addMember(auth), "/security")).page);
  const before = await accountOf(person);
  const cookie = browser.cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
  const post = (path: string, fields: object, headers = {}) =>
    request(auth.origin)
      .post(`/auth/account${path}`)
      .set({ Cookie: cookie, ...headers })
      .type("form")
      .send({ name: "Mallory", ...fields })
      .expect(403);
  for (const path of everyForm) {
    await post(path, {});
    await post(path, { form_token: theirs });
    await post(path, { form_token: tokenOn(page) }, { "Sec-Fetch-Site": "cross-site" });
    await post(path, { form_token: tokenOn(page) }, { "Sec-Fetch-Site": "same-site" });
  }
  expect(await accountOf(person)).toEqual(before);
  expect(await isSignedIn(browser)).toBe(true);
});

const everyForm = [
  "/profile",
  "/verification",
  "/sessions/end",
  "/sessions/end-others",
  "/applications/withdraw",
  "/password",
  "/authenticator",
  "/authenticator/remove",
  "/passkeys",
  "/passkeys/options",
  "/passkeys/remove",
  "/recovery-codes",
  "/identities/unlink",
  "/export",
  "/delete",
];

test("every page > has labels, headings, one language, and nothing that could be injected or framed", async () => {
  const person = await signUpWithApp(auth);
  const { browser, page } = await visit(person, "/security");
  const security = await browser.submit(page, { otp: await person.nextCode() });
  const fresh = createBrowser(auth.origin);
  const signInPage = await fresh.open("/auth/account");
  const pages = [
    page,
    security,
    signInPage,
    await fresh.submit(signInPage, { email: "a", password: "b" }),
    await fresh.open("/auth/sign-up"),
    await fresh.submit(await fresh.open("/auth/sign-up"), { email: "a", password: "b", name: "" }),
    await fresh.open("/auth/forgot-password"),
    await fresh.open("/auth/reset?token=a"),
    await fresh.open("/auth/verify?token=a"),
    await fresh.open("/auth/account/signed-in?error=access_denied"),
    await browser.open("/auth/account"),
    await browser.open("/auth/account?done=name"),
    await browser.open("/auth/account/delete"),
    await browser.open("/auth/account/export"),
    await browser.submit(security, {}, "/recovery-codes"),
    await browser.open("/auth/session/end"),
  ];
  for (const one of pages) {
    expect({ at: one.url.pathname, faults: faultsOf(one) }).toEqual({
      at: one.url.pathname,
      faults: [],
    });
  }
});

import { type Browser, createBrowser, type Visit } from "@portico/dev-env";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { addMember, type Person, payloadOf, setRoles } from "../testing/people.ts";
import { createRelyingParty, type RelyingParty, refusalOf } from "../testing/relying-party.ts";
import {
  authorize,
  codeOn,
  idOf,
  type PersonWithApp,
  signUpWithApp,
  submitPasskey,
} from "../testing/second-factors.ts";
import { createAuthenticator } from "../testing/software-authenticator.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
let web: RelyingParty;

beforeAll(async () => {
  auth = await startAuth(inject("stores"), { SECOND_FACTOR_ROLES: "admin" });
  web = await createRelyingParty(auth, "web", "a-secret-that-only-tests-use-0123456789");
});
afterAll(() => auth.stop());

/** As far as the password; answers the page that follows, and what trades the code in the end. */
async function begin(
  { email, password }: Person,
  browser: Browser = createBrowser(auth.origin),
  parameters: Record<string, string> = {},
) {
  const { url, finish } = await authorize(web, parameters);
  const signInPage = await browser.open(url);
  expect(signInPage.body).toContain("<h1>Sign in</h1>");
  return { browser, finish, page: await browser.submit(signInPage, { email, password }) };
}

const submitCode = (browser: Browser, page: Visit, otp: string) =>
  browser.submit(page, { otp }, "/second-factor");
const submitRecoveryCode = (browser: Browser, page: Visit, recoveryCode: string) =>
  browser.submit(page, { recoveryCode }, "/second-factor");

/** All the way, by password and code. */
async function signIn(person: PersonWithApp, browser?: Browser) {
  const { browser: used, finish, page } = await begin(person, browser);
  const tokens = await finish(await submitCode(used, page, await person.nextCode()));
  return { browser: used, tokens };
}

const titleOf = ({ body }: Visit) => /<h1>(.*)<\/h1>/.exec(body)?.[1];
const sessionCookie = ({ cookies }: Browser) =>
  cookies.find(({ name }) => name === "_session")?.value;

test("discovery > says which levels a client may ask for, and which claims tell of them", async () => {
  const { body } = await request(auth.origin).get("/auth/.well-known/openid-configuration");
  expect(body.acr_values_supported).toEqual(["aal1", "aal2"]);
  expect(body.claims_supported).toEqual(expect.arrayContaining(["acr", "amr", "auth_time"]));
});

describe("a sign-in by password", () => {
  test("of a person without a second factor asks for no more, and says so", async () => {
    const { finish, page } = await begin(await addMember(auth));
    const tokens = await finish(page);
    expect(tokens.claims()).toMatchObject({ acr: "aal1", amr: ["pwd"] });
  });

  test("of a person with an app goes on to a code", async () => {
    const person = await signUpWithApp(auth);
    const { browser, finish, page } = await begin(person);
    expect([page.status, titleOf(page)]).toEqual([200, "Second step"]);
    const tokens = await finish(await submitCode(browser, page, await person.nextCode()));
    const proved = { acr: "aal2", amr: ["pwd", "otp", "mfa"] };
    expect(tokens.claims()).toMatchObject({ sub: person.id, ...proved });
    expect(payloadOf(tokens.access_token)).toMatchObject(proved);
  });

  test("is none before the second step: whatever is opened, nobody is signed in", async () => {
    const person = await signUpWithApp(auth);
    const { browser, page } = await begin(person);
    const uid = page.url.pathname.split("/").at(-1);
    const resumed = await browser.open(`/auth/authorize/${uid}`);
    expect(titleOf(resumed)).toBe("Sign in");
    const silent = await browser.open((await authorize(web, { prompt: "none" })).url);
    expect(silent.url.searchParams.get("error")).toBe("login_required");
  });

  test("says that a code is wrong, and takes the right one then", async () => {
    const person = await signUpWithApp(auth);
    const { browser, finish, page } = await begin(person);
    const wrong = await submitCode(browser, page, "000000");
    expect(wrong.status).toBe(401);
    expect(wrong.body).toMatch(/role="alert"[^>]*>The code is wrong/);
    const back = await submitCode(browser, wrong, await person.nextCode());
    expect((await finish(back)).claims()?.acr).toBe("aal2");
  });

  test("takes no code a second time, and none of another person", async () => {
    const [person, other] = [await signUpWithApp(auth), await signUpWithApp(auth)];
    const first = await begin(person);
    const code = await person.nextCode();
    await first.finish(await submitCode(first.browser, first.page, code));

    const second = await begin(person);
    expect((await submitCode(second.browser, second.page, code)).status).toBe(401);
    const foreign = await submitCode(second.browser, second.page, await other.nextCode());
    expect(foreign.status).toBe(401);
  });

  test("takes each recovery code once", async () => {
    const person = await signUpWithApp(auth);
    const [code = "", another = ""] = person.recoveryCodes;
    const first = await begin(person);
    const tokens = await first.finish(await submitRecoveryCode(first.browser, first.page, code));
    expect(tokens.claims()).toMatchObject({ acr: "aal2", amr: ["pwd", "otp", "mfa"] });

    const second = await begin(person);
    const used = await submitRecoveryCode(second.browser, second.page, code);
    expect(used.status).toBe(401);
    expect(used.body).toContain("<details open>");
    const back = await submitRecoveryCode(second.browser, used, another);
    expect(back.url.searchParams.get("code")).toBeTruthy();
  });

  test("ends guessing at codes, and says when to come back (429)", async () => {
    const person = await signUpWithApp(auth);
    const { browser, page } = await begin(person);
    for (let guess = 0; guess < 5; guess += 1) await submitCode(browser, page, "000000");
    const refused = await submitCode(browser, page, await person.nextCode());
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(600);
    expect(refused.body).toContain("Too many attempts");
  });

  test("ends when the account is suspended in between (403)", async () => {
    const person = await signUpWithApp(auth);
    const { browser, page } = await begin(person);
    const accounts = auth.mongo.collection("accounts");
    await accounts.updateOne({ email: person.email }, { $set: { status: "suspended" } });
    expect((await submitCode(browser, page, await person.nextCode())).status).toBe(403);
  });
});

describe("a passkey", () => {
  /** Somebody who added one when a client asked for two factors. */
  async function signUpWithPasskey() {
    const person = await addMember(auth);
    const device = createAuthenticator(auth.origin);
    const { browser, page, finish } = await begin(person, undefined, { acr_values: "aal2" });
    const codes = await submitPasskey(browser, page, device, "create", { name: "My phone" });
    expect(titleOf(codes)).toBe("Recovery codes");
    await finish(await browser.open(page.url));
    return { person, device };
  }

  test("signs in without an address or a password, as two factors", async () => {
    const { person, device } = await signUpWithPasskey();
    const browser = createBrowser(auth.origin);
    const { url, finish } = await authorize(web);
    const back = await submitPasskey(browser, await browser.open(url), device, "get");
    const claims = (await finish(back)).claims();
    expect(claims).toMatchObject({ sub: await idOf(auth, person), acr: "aal2" });
    expect(claims?.amr).toEqual(["pop", "mfa"]);
  });

  test("is the second factor after a password", async () => {
    const { person, device } = await signUpWithPasskey();
    const { browser, page, finish } = await begin(person);
    expect(page.body).not.toContain('name="otp"');
    const back = await submitPasskey(browser, page, device, "get");
    expect((await finish(back)).claims()).toMatchObject({
      acr: "aal2",
      amr: ["pwd", "pop", "mfa"],
    });
  });

  test("of somebody else is no second factor, and one that nobody has no first", async () => {
    const [one, other] = [await signUpWithPasskey(), await signUpWithPasskey()];
    const { browser, page } = await begin(one.person);
    const refused = await submitPasskey(browser, page, other.device, "get");
    expect([refused.status, titleOf(refused)]).toEqual([400, "Second step"]);

    const stranger = createAuthenticator(auth.origin);
    stranger.create({ challenge: "", rp: {}, user: { id: "" } });
    const fresh = createBrowser(auth.origin);
    const signInPage = await fresh.open((await authorize(web)).url);
    const unknown = await submitPasskey(fresh, signInPage, stranger, "get");
    expect([unknown.status, titleOf(unknown)]).toEqual([400, "Sign in"]);
    expect(unknown.body).toContain("was not accepted");
  });

  test("signed for one interaction is worth nothing in another, nor in another browser", async () => {
    const { device } = await signUpWithPasskey();
    const [mine, theirs] = [createBrowser(auth.origin), createBrowser(auth.origin)];
    const page = await mine.open((await authorize(web)).url);
    const options = await mine.submit(page, {}, `${page.url.pathname}`);
    expect(options.status).toBe(400);
    const stolen = JSON.parse(
      (
        await mine.submit(
          { ...page, body: page.body.replaceAll('/passkey"', '/passkey-options"') },
          {},
          "/passkey-options",
        )
      ).body,
    );
    const passkey = device.get(stolen);
    const other = await theirs.open((await authorize(web)).url);
    expect((await theirs.submit(other, { passkey }, "/passkey")).status).toBe(400);
    const own = await mine.submit(page, { passkey }, "/passkey");
    expect(own.url.searchParams.get("code")).toBeTruthy();
  });
});

describe("a client that asks for two factors (acr_values)", () => {
  test("gets them from somebody signed in by the second alone; the time of sign-in stays", async () => {
    const person = await addMember(auth);
    const { browser, page, finish } = await begin(person);
    expect((await finish(page)).claims()?.acr).toBe("aal1");
    const anHourAgo = Math.floor(Date.now() / 1000) - 3600;
    await auth.mongo
      .collection("sessions")
      .updateOne(
        { "payload.accountId": await idOf(auth, person) },
        { $set: { "payload.loginTs": anHourAgo } },
      );
    const strict = await authorize(web, { acr_values: "aal2" });
    const enrolment = await browser.open(strict.url);
    expect(titleOf(enrolment)).toBe("Add a second factor");

    const wrong = await browser.submit(enrolment, { otp: "000000" }, "/authenticator");
    expect([wrong.status, titleOf(wrong)]).toEqual([400, "Add a second factor"]);
    const codes = await browser.submit(wrong, { otp: codeOn(wrong) }, "/authenticator");
    expect(codes.body.match(/<li><code>/g)).toHaveLength(10);
    const after = (await strict.finish(await browser.open(enrolment.url))).claims();
    const proved = { acr: "aal2", amr: ["pwd", "otp", "mfa"] };
    expect(after).toMatchObject({ ...proved, auth_time: anHourAgo });

    const again = await authorize(web, { acr_values: "aal2" });
    expect((await browser.open(again.url)).url.searchParams.get("code")).toBeTruthy();
  });

  test("is refused when it wants no question asked (prompt=none)", async () => {
    const { browser, page, finish } = await begin(await addMember(auth));
    await finish(page);
    const silent = (parameters: Record<string, string>) =>
      authorize(web, { prompt: "none", ...parameters })
        .then(({ url }) => browser.open(url))
        .then(({ url }) => url.searchParams.get("error"));
    expect(await silent({ acr_values: "aal2" })).toBe("login_required");
    expect(await silent({ acr_values: "aal2 aal1" })).toBeNull();
    expect(await silent({})).toBeNull();
  });

  test("asks for the password too when the person must sign in anew", async () => {
    const person = await signUpWithApp(auth);
    const { browser } = await signIn(person);
    const { url } = await authorize(web, { acr_values: "aal2", prompt: "login" });
    expect(titleOf(await browser.open(url))).toBe("Sign in");
  });

  test("a person may cancel", async () => {
    const { browser, page } = await begin(await addMember(auth), undefined, {
      acr_values: "aal2",
    });
    const back = await browser.submit(page, { cancel: "yes" }, page.url.pathname);
    expect(back.url.searchParams.get("error")).toBe("access_denied");
  });
});

describe("a role that needs a second factor", () => {
  test("leads through adding one, before anybody is signed in", async () => {
    const person = await addMember(auth);
    await setRoles(auth, person, ["member", "admin"]);
    const { browser, page, finish } = await begin(person);
    expect(titleOf(page)).toBe("Add a second factor");
    const silent = await browser.open((await authorize(web, { prompt: "none" })).url);
    expect(silent.url.searchParams.get("error")).toBe("login_required");

    await browser.submit(page, { otp: codeOn(page) }, "/authenticator");
    const tokens = await finish(await browser.open(page.url));
    expect(tokens.claims()?.acr).toBe("aal2");
  });

  test("given to somebody who is signed in, it is asked for next time", async () => {
    const person = await addMember(auth);
    const { browser, page, finish } = await begin(person);
    await finish(page);
    await setRoles(auth, person, ["member", "admin"]);
    const next = await browser.open((await authorize(web)).url);
    expect(titleOf(next)).toBe("Add a second factor");
  });

  test("ends what was signed in without it: refresh tokens are worth nothing then", async () => {
    const [person, other] = [await addMember(auth), await signUpWithApp(auth)];
    const tokens = await web.signIn(person);
    const { browser, page, finish } = await begin(other, undefined, {
      scope: "openid offline_access",
      prompt: "consent",
    });
    const strong = await finish(await submitCode(browser, page, await other.nextCode()));
    for (const one of [person, other]) await setRoles(auth, one, ["member", "admin"]);
    expect(await refusalOf(web.refresh(tokens.refresh_token ?? ""))).toBe("invalid_grant");
    expect(await refusalOf(web.refresh(strong.refresh_token ?? ""))).toBe("accepted");

    await setRoles(auth, person, ["member"]);
    expect(await refusalOf(web.refresh(tokens.refresh_token ?? ""))).toBe("accepted");
  });

  test("lets nobody add one who has one: the step of another page is over", async () => {
    const person = await addMember(auth);
    await setRoles(auth, person, ["admin"]);
    const { browser, page } = await begin(person);
    const other = await begin(person);
    await browser.submit(page, { otp: codeOn(page) }, "/authenticator");
    const late = await other.browser.submit(
      other.page,
      { otp: codeOn(other.page) },
      "/authenticator",
    );
    expect([late.status, late.body]).toEqual([400, expect.stringContaining("has ended")]);
  });
});

test("every form of an interaction > is refused without its token (403)", async () => {
  const { browser, page } = await begin(await signUpWithApp(auth));
  const other = await begin(await signUpWithApp(auth));
  const theirs = /form_token" value="([^"]+)"/.exec(other.page.body)?.[1];
  const cookie = browser.cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
  const forms = ["", "/second-factor", "/passkey", "/passkey-options", "/authenticator"];
  for (const form of [...forms, "/new-passkey", "/new-passkey-options"]) {
    for (const fields of [{}, { form_token: theirs }]) {
      await request(auth.origin)
        .post(`${page.url.pathname}${form}`)
        .set("Cookie", cookie)
        .type("form")
        .send({ cancel: "yes", ...fields })
        .expect(403);
    }
  }
});

describe("the session", () => {
  test("that an attacker set before is another after the sign-in (session fixation)", async () => {
    const person = await addMember(auth);
    const attacker = createBrowser(auth.origin);
    await begin(person, attacker);
    const planted = sessionCookie(attacker);
    const victim = createBrowser(auth.origin);
    victim.cookies.push(...attacker.cookies.map((cookie) => ({ ...cookie })));
    const { url } = await authorize(web, { prompt: "login" });
    const page = await victim.open(url);
    await victim.submit(page, person);
    expect(sessionCookie(victim)).not.toBe(planted);
    const silent = await attacker.open((await authorize(web, { prompt: "none" })).url);
    expect(silent.url.searchParams.get("error")).toBe("login_required");
  });

  test("changes its id when a second factor is proved, and the old one is dead", async () => {
    const person = await addMember(auth);
    const { browser, page, finish } = await begin(person);
    await finish(page);
    const before = browser.cookies.map((cookie) => ({ ...cookie }));
    const strict = await authorize(web, { acr_values: "aal2" });
    const enrolment = await browser.open(strict.url);
    await browser.submit(enrolment, { otp: codeOn(enrolment) }, "/authenticator");
    await strict.finish(await browser.open(enrolment.url));
    expect(sessionCookie(browser)).not.toBe(before.find(({ name }) => name === "_session")?.value);

    const thief = createBrowser(auth.origin);
    thief.cookies.push(...before);
    const silent = await thief.open((await authorize(web, { prompt: "none" })).url);
    expect(silent.url.searchParams.get("error")).toBe("login_required");
  });
});

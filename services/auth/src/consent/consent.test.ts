import { type Browser, createBrowser } from "@portico/dev-env";
import * as openid from "openid-client";
import request from "supertest";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test, vi } from "vitest";
import { everyScope } from "../roles/role.ts";
import { newAuthorization, registerClient } from "../testing/oauth-client.ts";
import { addMember, type Person, signIn } from "../testing/people.ts";
import { refusalOf } from "../testing/relying-party.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";
import { wordsFor } from "./scope-words.ts";

let auth: TestAuth;
let calendar: openid.Configuration;
let phoneApp: openid.Configuration;
let own: openid.Configuration;
let person: Person;

beforeAll(async () => {
  auth = await startAuth(inject("stores"));
  calendar = await registerClient(auth, {
    client_id: "calendar",
    client_name: "Calendar & co",
    third_party: true,
  });
  phoneApp = await registerClient(auth, {
    client_id: "phone-app",
    third_party: true,
    application_type: "native",
    token_endpoint_auth_method: "none",
    redirect_uris: ["com.example.phone:/callback"],
  });
  own = await registerClient(auth, { client_id: "own" });
});
afterAll(() => auth.stop());
beforeEach(async () => {
  person = await addMember(auth);
});

const ask = async (client: openid.Configuration, scope: string, more = {}) => {
  const { parameters, checks } = await newAuthorization({ scope, prompt: "", ...more });
  return { url: openid.buildAuthorizationUrl(client, parameters), checks };
};

/** As far as the page after the sign-in, if there is one. */
async function begin(client: openid.Configuration, scope: string, browser: Browser, more = {}) {
  const { url, checks } = await ask(client, scope, more);
  const page = await browser.open(url);
  const isSignIn = page.body.includes("current-password");
  return { visit: isSignIn ? await browser.submit(page, person) : page, checks };
}

async function allow(scope = "openid posts:read", more = {}) {
  const browser = createBrowser(auth.origin);
  const { visit, checks } = await begin(calendar, scope, browser, more);
  expect(visit.body).toContain("Allow Calendar &amp; co?");
  const { url } = await browser.submit(visit);
  return { browser, tokens: await openid.authorizationCodeGrant(calendar, url, checks) };
}

const isAsked = async (client: openid.Configuration, scope: string, browser: Browser, more = {}) =>
  (await begin(client, scope, browser, more)).visit.body.includes("Allow ");

test("every scope has words for people", () => {
  expect(Object.keys(wordsFor).sort()).toEqual([...new Set(everyScope)].sort());
});

describe("an application that is not the platform's own", () => {
  test("is let in by a person who was told who it is, what it wants and where they go", async () => {
    const browser = createBrowser(auth.origin);
    const { visit } = await begin(calendar, "openid posts:read posts:write", browser);
    for (const words of [
      "<strong>Calendar &amp; co</strong> is not part of Portico",
      "read posts as you",
      "write, change and delete posts as you",
      "client.example",
    ]) {
      expect(visit.body).toContain(words);
    }
    expect(visit.body).not.toContain("patients");
    const { tokens } = await allow();
    expect(tokens.scope).toBe("openid posts:read");
  });

  test("gets nothing from a person who says no", async () => {
    const browser = createBrowser(auth.origin);
    const { visit } = await begin(calendar, "openid", browser);
    const back = await browser.submit(visit, { cancel: "yes" });
    expect(Object.fromEntries(back.url.searchParams)).toMatchObject({
      error: "access_denied",
      iss: `${auth.origin}/auth`,
    });
    expect(await isAsked(calendar, "openid", browser)).toBe(true);
  });

  test("gets nothing by prompt=none from a person who was never asked", async () => {
    const browser = createBrowser(auth.origin);
    await begin(own, "openid", browser);
    const { visit } = await begin(calendar, "openid", browser, { prompt: "none" });
    expect(visit.url.searchParams.get("error")).toBe("consent_required");
  });

  test("asks once: the answer is remembered, in another browser too", async () => {
    const { browser } = await allow("openid posts:read");
    expect(await isAsked(calendar, "openid posts:read", browser)).toBe(false);
    const another = createBrowser(auth.origin);
    expect(await isAsked(calendar, "openid posts:read", another)).toBe(false);
    expect(await isAsked(calendar, "openid", createBrowser(auth.origin))).toBe(false);
  });

  test("asks again for more than it was allowed, and when it says so itself", async () => {
    const { browser } = await allow("openid posts:read");
    expect(await isAsked(calendar, "openid posts:write", browser)).toBe(true);
    expect(await isAsked(calendar, "openid posts:read", browser, { prompt: "consent" })).toBe(true);
    const fresh = createBrowser(auth.origin);
    expect(await isAsked(calendar, "openid posts:read", fresh, { prompt: "consent" })).toBe(true);
  });

  test("is not let in by what another person, or the person to another, has allowed", async () => {
    await allow("openid");
    expect(await isAsked(phoneApp, "openid", createBrowser(auth.origin), native)).toBe(true);
    person = await addMember(auth);
    expect(await isAsked(calendar, "openid", createBrowser(auth.origin))).toBe(true);
  });

  test("on a phone needs a press each time: its address may be another program's", async () => {
    const browser = createBrowser(auth.origin);
    const first = await begin(phoneApp, "openid", browser, native);
    expect(first.visit.body).toContain("Allow phone-app?");
    const done = await browser.submit(first.visit);
    expect(done.url.protocol).toBe("com.example.phone:");
    const again = await begin(phoneApp, "openid", browser, native);
    expect(again.visit.body).toContain("Continue to phone-app");
  });
});

const native = { redirect_uri: "com.example.phone:/callback" };

test("the platform's own application > asks nobody", async () => {
  expect(await isAsked(own, "openid posts:read", createBrowser(auth.origin))).toBe(false);
});

describe("a consent", () => {
  const send = (method: "get" | "delete", path: string, token: string) =>
    request(auth.origin)[method](path).set("Authorization", `Bearer ${token}`);

  test("is listed to its person, and to nobody else", async () => {
    await allow("openid posts:read");
    const { accessToken } = await signIn(auth, person);
    const { body } = await send("get", "/auth/users/me/consents", accessToken).expect(200);
    expect(body.items).toEqual([
      { clientId: "calendar", scopes: ["openid", "posts:read"], givenAt: expect.any(String) },
    ]);
    const stranger = await signIn(auth, await addMember(auth));
    const theirs = await send("get", "/auth/users/me/consents", stranger.accessToken);
    expect(theirs.body).toEqual({ items: [] });
    await request(auth.origin).get("/auth/users/me/consents").expect(401);
  });

  test("taken back ends what the application got by it, and it has to ask again", async () => {
    const { browser, tokens } = await allow("openid offline_access", { prompt: "consent" });
    const { accessToken } = await signIn(auth, person);
    await send("delete", "/auth/users/me/consents/calendar", accessToken).expect(204);
    await vi.waitFor(
      async () =>
        expect((await send("get", "/auth/users/me", tokens.access_token)).status).toBe(401),
      1_000,
    );
    await send("get", "/auth/users/me", accessToken).expect(200);
    const refresh = openid.refreshTokenGrant(calendar, tokens.refresh_token ?? "");
    expect(await refusalOf(refresh)).toBe("invalid_grant");
    expect(await isAsked(calendar, "openid", browser)).toBe(true);
  });

  test("that there is not cannot be taken back (404), nor another person's", async () => {
    await allow("openid");
    const stranger = await signIn(auth, await addMember(auth));
    const path = "/auth/users/me/consents/calendar";
    await send("delete", path, stranger.accessToken).expect(404);
    await request(auth.origin).delete(path).expect(401);
    const { accessToken } = await signIn(auth, person);
    await send("delete", path, accessToken).expect(204);
    await send("delete", path, accessToken).expect(404);
  });

  test("is not what a person is signed in by: there is none to take back (404), and nothing ends", async () => {
    const { accessToken } = await signIn(auth, person);
    await send("delete", "/auth/users/me/consents/portico", accessToken).expect(404);
    await send("get", "/auth/users/me", accessToken).expect(200);
  });
});

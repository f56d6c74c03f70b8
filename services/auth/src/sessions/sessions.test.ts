import { createBrowser } from "@portico/dev-env";
import * as openid from "openid-client";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { createAdapters } from "../oidc/adapter.ts";
import { clientSecret, getTokens, registerClient } from "../testing/oauth-client.ts";
import { addMember, type Person, signIn } from "../testing/people.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
let web: openid.Configuration;
let other: openid.Configuration;

beforeAll(async () => {
  auth = await startAuth(inject("stores"));
  web = await registerClient(auth, {
    client_id: "web",
    post_logout_redirect_uris: ["https://client.example/"],
  });
  other = await registerClient(auth, { client_id: "other" });
});
afterAll(() => auth.stop());

const send = (method: "get" | "post" | "delete", path: string, token: string) =>
  request(auth.origin)[method](path).set("Authorization", `Bearer ${token}`);
const me = (token: string) => send("get", "/auth/users/me", token);
const list = async (token: string) =>
  (await send("get", "/auth/sessions", token).expect(200)).body.items;

const otherOf = async (token: string) =>
  (await list(token)).find(({ current }: { current: boolean }) => !current);

/** Within a second of now. */
const isRefused = (token: string) =>
  vi.waitFor(async () => expect((await me(token)).status).toBe(401), {
    timeout: 1_000,
    interval: 20,
  });
const isAccepted = async (token: string) => expect((await me(token)).status).toBe(200);

const signedIn = async (person: Person, userAgent = "A telephone") => {
  const { body } = await request(auth.origin)
    .post("/auth/sign-in")
    .set("User-Agent", userAgent)
    .send(person)
    .expect(200);
  return body.accessToken as string;
};

const refusal = (work: Promise<unknown>) =>
  work.then(
    () => "accepted",
    (error: { error?: string }) => error.error ?? String(error),
  );

const ended = { error: "invalid_grant" };
const refreshOf = ({ refresh_token = "" }: openid.TokenEndpointResponse, client = web) =>
  openid.refreshTokenGrant(client, refresh_token);

describe("GET /auth/sessions", () => {
  test("lists where somebody is signed in, the newest first, and which one asks", async () => {
    const person = await addMember(auth);
    const { tokens } = await getTokens(auth, web, person);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const token = await signedIn(person, "A telephone");

    const sessions = await list(token);
    expect(sessions).toMatchObject([
      { device: "A telephone", clients: ["portico"], current: true },
      { device: "node", clients: ["web"], current: false },
    ]);
    for (const { startedAt, lastUsedAt, expiresAt } of sessions) {
      expect(Date.parse(startedAt)).toBeGreaterThan(Date.now() - 60_000);
      expect(Date.parse(lastUsedAt)).toBeGreaterThanOrEqual(Date.parse(startedAt));
      expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now());
    }
    const ofWeb = await list(tokens.access_token);
    expect(ofWeb.map(({ current }: { current: boolean }) => current)).toEqual([false, true]);
  });

  test("serves several clients in one browser's session", async () => {
    const person = await addMember(auth);
    const { tokens, browser } = await getTokens(auth, web, person);
    const url = openid.buildAuthorizationUrl(other, {
      redirect_uri: "https://client.example/callback",
      scope: "openid",
      code_challenge: await openid.calculatePKCECodeChallenge(openid.randomPKCECodeVerifier()),
      code_challenge_method: "S256",
    });
    expect((await browser.open(url)).url.searchParams.get("code")).toBeTruthy();
    expect(await list(tokens.access_token)).toMatchObject([{ clients: ["web", "other"] }]);
  });

  test("says when each was last used, which costs a request no write", async () => {
    const person = await addMember(auth);
    const { tokens } = await getTokens(auth, web, person);
    const kept = () =>
      Promise.all(
        ["sessions", "grants", "refreshTokenFamilies"].map((name) =>
          auth.mongo.collection(name).find().sort({ _id: 1 }).toArray(),
        ),
      );
    const before = await kept();
    await isAccepted(tokens.access_token);
    const [session] = await list(tokens.access_token);
    expect(await kept()).toEqual(before);

    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const renewed = await refreshOf(tokens);
    const [after] = await list(renewed.access_token);
    expect(after.id).toBe(session.id);
    expect(Date.parse(after.lastUsedAt)).toBeGreaterThan(Date.parse(session.lastUsedAt));
  });

  test("keeps no more of what a browser says than tells devices apart", async () => {
    const person = await addMember(auth);
    const token = await signedIn(person, `Long ${"x".repeat(4_000)} é`);
    const [{ device }] = await list(token);
    expect(device).toHaveLength(160);
    expect(device).toMatch(/^Long x+$/);
  });

  test("is paged by cursor", async () => {
    const person = await addMember(auth);
    let token = "";
    for (let times = 0; times < 5; times += 1) token = await signedIn(person, `device ${times}`);
    const seen: string[] = [];
    let path: string | undefined = "/auth/sessions?limit=2";
    let pages = 0;
    while (path) {
      const page: request.Response = await send("get", path, token).expect(200);
      seen.push(...page.body.items.map(({ id }: { id: string }) => id));
      path = /<([^>]+)>; rel="next"/.exec(page.headers.link ?? "")?.[1];
      expect(page.body.nextCursor !== null).toBe(path !== undefined);
      pages += 1;
    }
    expect(pages).toBe(3);
    expect(new Set(seen).size).toBe(5);
    await send("get", "/auth/sessions?after=nonsense", token).expect(400);
  });
});

describe("DELETE /auth/sessions/{sessionId}", () => {
  test("ends a session: its tokens, refresh tokens, userinfo and browser; the others go on", async () => {
    const person = await addMember(auth);
    const { tokens, browser } = await getTokens(auth, web, person);
    const elsewhere = await signedIn(person);
    const { id } = await otherOf(elsewhere);
    await isAccepted(tokens.access_token);

    await send("delete", `/auth/sessions/${id}`, elsewhere).expect(204);
    await isRefused(tokens.access_token);
    await expect(refreshOf(tokens)).rejects.toMatchObject(ended);
    const userinfo = openid.fetchUserInfo(web, tokens.access_token, openid.skipSubjectCheck);
    await expect(userinfo).rejects.toThrow();
    const url = openid.buildAuthorizationUrl(web, {
      redirect_uri: "https://client.example/callback",
      scope: "openid",
      code_challenge: await openid.calculatePKCECodeChallenge(openid.randomPKCECodeVerifier()),
      code_challenge_method: "S256",
    });
    expect((await browser.open(url)).body).toContain("Sign in");
    await isAccepted(elsewhere);
    expect(await list(elsewhere)).toHaveLength(1);
  });

  test("may end the one that asks", async () => {
    const token = await signedIn(await addMember(auth));
    const [{ id }] = await list(token);
    await send("delete", `/auth/sessions/${id}`, token).expect(204);
    await isRefused(token);
  });

  test("somebody else's looks exactly like one that is not there (404)", async () => {
    const [mine, theirs] = [await addMember(auth), await addMember(auth)];
    const [token, theirToken] = [await signedIn(mine), await signedIn(theirs)];
    const { tokens } = await getTokens(auth, web, theirs);
    const bodies: unknown[] = [];
    const ids = (await list(theirToken)).map(({ id }: { id: string }) => id);
    for (const id of [...ids, "nothing-at-all"]) {
      const { body } = await send("delete", `/auth/sessions/${id}`, token).expect(404);
      bodies.push({ ...body, traceId: "" });
    }
    expect(ids).toHaveLength(2);
    expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
    await isAccepted(theirToken);
    expect(await refusal(refreshOf(tokens))).toBe("accepted");
  });

  test("twice is a 404, and twice at once ends it once", async () => {
    const person = await addMember(auth);
    const token = await signedIn(person);
    const gone = await signedIn(person);
    const { id } = await otherOf(token);
    const end = () => send("delete", `/auth/sessions/${id}`, token).then(({ status }) => status);
    expect((await Promise.all([end(), end(), end()])).sort()).toEqual([204, 404, 404]);
    expect(await end()).toBe(404);
    await isRefused(gone);
  });

  test("a session that was ended while its browser was on the way does not come back", async () => {
    const person = await addMember(auth);
    const { tokens, browser } = await getTokens(auth, web, person);
    const cookie = browser.cookies.find(({ name }) => name === "_session")?.value ?? "";
    const sessions = createAdapters(auth.mongo)("Session");
    const payload = await sessions.find(cookie);
    expect(payload?.accountId).toBeDefined();
    const [{ id }] = await list(tokens.access_token);
    await send("delete", `/auth/sessions/${id}`, tokens.access_token).expect(204);

    for (const cookieThen of [cookie, "another id: it changes at a sign-in"]) {
      await sessions.upsert(cookieThen, { ...payload, jti: cookieThen }, 3_600);
      expect(await sessions.find(cookieThen)).toBeUndefined();
    }
    const fresh = { ...payload, jti: "fresh", uid: "fresh" };
    await sessions.upsert("fresh", fresh, 3_600);
    expect(await sessions.find("fresh")).toMatchObject({ uid: "fresh" });
  });
});

describe("DELETE /auth/sessions", () => {
  test("ends all of one's own, and nobody else's", async () => {
    const [mine, theirs] = [await addMember(auth), await addMember(auth)];
    const [first, second, theirToken] = [
      await signedIn(mine),
      await signedIn(mine),
      await signedIn(theirs),
    ];
    const { tokens } = await getTokens(auth, web, mine);
    await send("delete", "/auth/sessions", first).expect(204);
    for (const token of [first, second, tokens.access_token]) await isRefused(token);
    await expect(refreshOf(tokens)).rejects.toMatchObject(ended);
    await isAccepted(theirToken);
    expect(await list(await signedIn(mine))).toHaveLength(1);
  });

  test("but the one that asks, when told so", async () => {
    const person = await addMember(auth);
    const elsewhere = await signedIn(person);
    const { tokens } = await getTokens(auth, web, person);
    await send("delete", "/auth/sessions?except=current", tokens.access_token).expect(204);
    await isRefused(elsewhere);
    await isAccepted(tokens.access_token);
    expect(await refusal(refreshOf(tokens))).toBe("accepted");
    await send("delete", "/auth/sessions?except=others", tokens.access_token).expect(400);
  });

  test("ends a sign-in that is under way: who proved a password before must do so again", async () => {
    const person = await addMember(auth);
    const [undisturbed, ended] = [await provePassword(person), await provePassword(person)];
    const page = await undisturbed.browser.open(undisturbed.next);
    expect([page.url.searchParams.has("code"), page.body]).toEqual([true, ""]);

    await send("delete", "/auth/sessions", await signedIn(person)).expect(204);
    const refused = await ended.browser.open(ended.next);
    expect(refused.url.searchParams.get("code")).toBeNull();
    expect([refused.status, refused.body]).toEqual([400, expect.stringContaining("start again")]);
  });
});

/** A browser that sent the right password, and does not go where it is sent next. */
async function provePassword(person: Person) {
  const browser = createBrowser(auth.origin);
  const url = openid.buildAuthorizationUrl(web, {
    redirect_uri: "https://client.example/callback",
    scope: "openid",
    code_challenge: await openid.calculatePKCECodeChallenge(openid.randomPKCECodeVerifier()),
    code_challenge_method: "S256",
  });
  const page = await browser.open(url);
  const hidden = [...page.body.matchAll(/name="(\w+)" value="([\w-]+)"/g)];
  const fields = Object.fromEntries(hidden.map(([, name, value]) => [name, value]));
  const answer = await fetch(page.url, {
    method: "POST",
    headers: { cookie: browser.cookies.map(({ name, value }) => `${name}=${value}`).join("; ") },
    body: new URLSearchParams({ form_token: fields.form_token ?? "", ...person }),
    redirect: "manual",
  });
  expect(answer.status).toBe(303);
  return { browser, next: new URL(answer.headers.get("location") ?? "", page.url) };
}

describe("POST /auth/sign-out", () => {
  test("ends the token that it was sent with, and no other (204)", async () => {
    const person = await addMember(auth);
    const [token, elsewhere] = [await signedIn(person), await signedIn(person)];
    await send("post", "/auth/sign-out", token).expect(204);
    await isRefused(token);
    await isAccepted(elsewhere);
    expect(await list(elsewhere)).toHaveLength(1);
  });

  test("ends what refreshes it, too", async () => {
    const { tokens } = await getTokens(auth, web, await addMember(auth));
    await send("post", "/auth/sign-out", tokens.access_token).expect(204);
    await isRefused(tokens.access_token);
    await expect(refreshOf(tokens)).rejects.toMatchObject(ended);
  });

  test("means nothing to a client that speaks for itself (403)", async () => {
    const service = await registerClient(auth, {
      client_id: "service",
      grant_types: ["client_credentials"],
      response_types: [],
      redirect_uris: [],
      scope: "posts:read",
    });
    const { access_token } = await openid.clientCredentialsGrant(service, { scope: "posts:read" });
    await send("post", "/auth/sign-out", access_token).expect(403);
    expect(await list(access_token)).toEqual([]);
  });
});

test.each([
  ["get", "/auth/sessions"],
  ["delete", "/auth/sessions"],
  ["delete", "/auth/sessions/x"],
  ["post", "/auth/sign-out"],
] as const)("%s %s > refuses a caller without a token (401)", async (method, path) => {
  await request(auth.origin)[method](path).expect(401);
});

describe("what the protocol ends is refused as an access token too", () => {
  test("a sign-out at the provider (RP-initiated logout)", async () => {
    const person = await addMember(auth);
    const { tokens, browser } = await getTokens(auth, web, person, { scope: "openid" });
    const elsewhere = await signedIn(person);
    await isAccepted(tokens.access_token);
    const page = await browser.open(
      openid.buildEndSessionUrl(web, { id_token_hint: tokens.id_token ?? "" }),
    );
    await browser.submit(page, { logout: "yes" });
    await isRefused(tokens.access_token);
    await isAccepted(elsewhere);
    expect(await list(elsewhere)).toHaveLength(1);
  });

  test("a sign-out leaves offline access, as OpenID Connect has it, and lists it as a session", async () => {
    const person = await addMember(auth);
    const { tokens, browser } = await getTokens(auth, web, person);
    const page = await browser.open(
      openid.buildEndSessionUrl(web, { id_token_hint: tokens.id_token ?? "" }),
    );
    await browser.submit(page, { logout: "yes" });
    const renewed = await refreshOf(tokens);
    await isAccepted(renewed.access_token);
    const [session, ...more] = await list(renewed.access_token);
    expect([session.clients, session.device, more]).toEqual([["web"], "node", []]);
    await send("delete", `/auth/sessions/${session.id}`, renewed.access_token).expect(204);
    await isRefused(renewed.access_token);
    await expect(refreshOf(renewed)).rejects.toMatchObject(ended);
  });

  test("a code that is used twice", async () => {
    const { tokens, answer, checks } = await getTokens(auth, web, await addMember(auth));
    await isAccepted(tokens.access_token);
    expect(await refusal(openid.authorizationCodeGrant(web, answer, checks))).toBe("invalid_grant");
    await isRefused(tokens.access_token);
  });

  test("a refresh token that is used after its successor", async () => {
    const { tokens } = await getTokens(auth, web, await addMember(auth));
    const second = await refreshOf(tokens);
    const third = await refreshOf(second);
    await isAccepted(third.access_token);
    expect(await refusal(refreshOf(tokens))).toBe("invalid_grant");
    for (const { access_token } of [tokens, second, third]) await isRefused(access_token);
  });

  test("a refresh token that is revoked by its client", async () => {
    const person = await addMember(auth);
    const { tokens } = await getTokens(auth, web, person);
    const elsewhere = await signedIn(person);
    await openid.tokenRevocation(web, tokens.refresh_token ?? "");
    await isRefused(tokens.access_token);
    await isAccepted(elsewhere);
  });
});

test("nothing of a session's cookie or tokens is in the list, or in the log", async () => {
  const person = await addMember(auth);
  const { tokens, browser } = await getTokens(auth, web, person);
  const shown = JSON.stringify([await list(tokens.access_token), auth.logged()]);
  const cookie = browser.cookies.find(({ name }) => name === "_session")?.value;
  for (const value of [cookie, tokens.access_token, tokens.refresh_token, clientSecret]) {
    expect(value).toBeTruthy();
    expect(shown).not.toContain(value);
  }
  expect((await signIn(auth, person)).account).not.toHaveProperty("tokenVersion");
});

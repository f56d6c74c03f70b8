import { setTimeout as sleep } from "node:timers/promises";
import { type Browser, createBrowser, type Visit } from "@portico/dev-env";
import * as openid from "openid-client";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { createClientStore } from "../clients/client-store.ts";
import { everyScope } from "../roles/role.ts";
import { addMember, type Person, payloadOf, setRoles } from "../testing/people.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

const secret = "a-secret-that-only-tests-use-0123456789";
const redirectUri = "http://127.0.0.1:49152/callback";

let auth: TestAuth;
let demo: openid.Configuration;
let web: openid.Configuration;
let service: openid.Configuration;
let person: Person;

beforeAll(async () => {
  auth = await startAuth(inject("stores"));
  const clients = createClientStore(auth.mongo);
  await clients.save({
    client_id: "demo",
    application_type: "native",
    token_endpoint_auth_method: "none",
    grant_types: ["authorization_code", "refresh_token"],
    redirect_uris: ["http://127.0.0.1/callback"],
    scope: everyScope.join(" "),
  });
  await clients.save({
    client_id: "web",
    client_name: "The web application",
    client_secret: secret,
    grant_types: ["authorization_code", "refresh_token"],
    redirect_uris: ["https://web.example/callback"],
    post_logout_redirect_uris: ["https://web.example/"],
    scope: everyScope.join(" "),
  });
  await clients.save({
    client_id: "demo-service",
    client_secret: secret,
    grant_types: ["client_credentials"],
    response_types: [],
    redirect_uris: [],
    scope: "posts:read cards:read",
  });
  const discover = (id: string, authentication: openid.ClientAuth) =>
    openid.discovery(new URL(`${auth.origin}/auth`), id, undefined, authentication, {
      execute: [openid.allowInsecureRequests],
    });
  demo = await discover("demo", openid.None());
  web = await discover("web", openid.ClientSecretBasic(secret));
  service = await discover("demo-service", openid.ClientSecretBasic(secret));
  person = await addMember(auth);
});
afterAll(() => auth.stop());

type Authorization = { url: URL; checks: openid.AuthorizationCodeGrantChecks };

async function authorization(
  client: openid.Configuration,
  parameters: Record<string, string> = {},
): Promise<Authorization> {
  const pkceCodeVerifier = openid.randomPKCECodeVerifier();
  const [expectedState, expectedNonce] = [openid.randomState(), openid.randomNonce()];
  const url = openid.buildAuthorizationUrl(client, {
    redirect_uri: client === web ? "https://web.example/callback" : redirectUri,
    scope: "openid email profile offline_access posts:read patients:read",
    prompt: "consent",
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    state: expectedState,
    nonce: expectedNonce,
    ...parameters,
  });
  return { url, checks: { pkceCodeVerifier, expectedState, expectedNonce } };
}

async function signInAt(browser: Browser, url: URL, who = person): Promise<Visit> {
  const page = await browser.open(url);
  expect(page.body).toContain("Sign in");
  return browser.submit(page, who);
}

/** Code + PKCE with a fresh browser; answers the tokens and what they were got with. */
async function getTokens(client = demo, who = person, parameters = {}) {
  const browser = createBrowser(auth.origin);
  const { url, checks } = await authorization(client, parameters);
  const { url: callback } = await signInAt(browser, url, who);
  const tokens = await openid.authorizationCodeGrant(client, callback, checks);
  return { tokens, callback, checks, browser };
}

const refusal = (work: Promise<unknown>) =>
  work.then(
    () => "accepted",
    (error: { error?: string }) => error.error ?? String(error),
  );

describe("authorization code with PKCE", () => {
  test("gives a token that serves the services and userinfo, an ID token and a refresh token", async () => {
    const { tokens } = await getTokens();
    const claims = payloadOf(tokens.access_token);
    expect(claims.aud).toEqual([auth.origin, `${auth.origin}/auth/userinfo`]);
    expect(claims).toMatchObject({ client_id: "demo", roles: ["member"], email_verified: true });
    expect(tokens.claims()).toMatchObject({ sub: claims.sub, aud: "demo" });
    expect(tokens.refresh_token).toBeDefined();

    const { body } = await request(auth.origin)
      .get("/auth/users/me")
      .set("Authorization", `Bearer ${tokens.access_token}`)
      .expect(200);
    expect(body.id).toBe(claims.sub);
    const userinfo = await openid.fetchUserInfo(demo, tokens.access_token, claims.sub);
    expect(userinfo).toEqual({ sub: claims.sub, email: person.email, email_verified: true });
  });

  test("cuts the scope to what roles permit, again with each token", async () => {
    const doctor = await addMember(auth);
    const { tokens } = await getTokens(demo, doctor);
    expect(tokens.scope).toContain("posts:read");
    expect(tokens.scope).not.toContain("patients:read");

    await setRoles(auth, doctor, ["member", "clinician"]);
    const more = await openid.refreshTokenGrant(demo, tokens.refresh_token ?? "");
    expect(payloadOf(more.access_token).scope).toContain("patients:read");
    await setRoles(auth, doctor, ["member"]);
    const less = await openid.refreshTokenGrant(demo, more.refresh_token ?? "");
    expect(payloadOf(less.access_token).scope).not.toContain("patients:read");
  });

  test("says on the page that address and password do not belong together", async () => {
    const browser = createBrowser(auth.origin);
    const { url } = await authorization(demo);
    const page = await signInAt(browser, url, { ...person, password: "not the password" });
    expect(page.status).toBe(400);
    expect(page.body).toContain("is wrong");
    expect((await browser.submit(page, person)).url.searchParams.get("code")).toBeTruthy();
  });

  test("a person who cancels goes back to the client without a code", async () => {
    const browser = createBrowser(auth.origin);
    const { url } = await authorization(demo);
    const back = await browser.submit(await browser.open(url), { cancel: "yes" });
    expect(back.url.searchParams.get("error")).toBe("access_denied");
  });

  test("a second time asks no password; a native client still needs a press of a button", async () => {
    const browser = createBrowser(auth.origin);
    await signInAt(browser, (await authorization(demo)).url);
    const page = await browser.open((await authorization(demo)).url);
    expect(page.body).toContain("Continue to demo");
    expect((await browser.submit(page)).url.searchParams.get("code")).toBeTruthy();
    const silent = await browser.open((await authorization(web, { prompt: "login" })).url);
    expect(silent.body).toContain("The web application");
    const known = await browser.open(
      (await authorization(web, { scope: "openid", prompt: "" })).url,
    );
    expect(known.url.searchParams.get("code")).toBeTruthy();
  });

  test("a code works once, and its second use ends what the first one got", async () => {
    const { tokens, callback, checks } = await getTokens();
    const again = openid.authorizationCodeGrant(demo, callback, checks);
    expect(await refusal(again)).toBe("invalid_grant");
    const refresh = openid.refreshTokenGrant(demo, tokens.refresh_token ?? "");
    expect(await refusal(refresh)).toBe("invalid_grant");
  });

  test("of two uses of a code at once, one gets tokens", async () => {
    const browser = createBrowser(auth.origin);
    const { url, checks } = await authorization(demo);
    const { url: callback } = await signInAt(browser, url);
    const use = () => refusal(openid.authorizationCodeGrant(demo, callback, checks));
    expect((await Promise.all([use(), use(), use()])).sort()).toEqual([
      "accepted",
      "invalid_grant",
      "invalid_grant",
    ]);
  });

  test("needs PKCE with S256, and the verifier of the challenge", async () => {
    const errorOf = async (parameters: Record<string, string>) => {
      const { url } = await authorization(demo, parameters);
      for (const [name, value] of Object.entries(parameters)) {
        if (value === "") url.searchParams.delete(name);
      }
      return (await createBrowser(auth.origin).open(url)).url.searchParams.get("error");
    };
    const none = { code_challenge: "", code_challenge_method: "" };
    expect(await errorOf(none)).toBe("invalid_request");
    expect(await errorOf({ code_challenge_method: "plain" })).toBe("invalid_request");

    const { url, checks } = await authorization(demo);
    const { url: callback } = await signInAt(createBrowser(auth.origin), url);
    const pkceCodeVerifier = openid.randomPKCECodeVerifier();
    const wrong = openid.authorizationCodeGrant(demo, callback, { ...checks, pkceCodeVerifier });
    expect(await refusal(wrong)).toBe("invalid_grant");
  });

  test.each([
    "http://127.0.0.1:1234/other",
    "http://127.0.0.1:1234/callback/..%2f",
    "http://127.0.0.1@evil.example/callback",
    "https://evil.example/callback",
    "http://127.0.0.1/callback?a=b",
    "http://127.0.0.2/callback",
  ])("goes to no redirect URI but the client's: %s", async (redirect_uri) => {
    const { url } = await authorization(demo, { redirect_uri });
    const page = await createBrowser(auth.origin).open(url);
    expect([page.url.origin, page.status]).toEqual([auth.origin, 400]);
    expect(page.body).toContain("This did not work");
  });

  test("the sign-in page loads nothing foreign and sends its form nowhere else", async () => {
    const page = await createBrowser(auth.origin).open((await authorization(demo)).url);
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("form-action 'self' http://127.0.0.1:49152");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(page.body).not.toMatch(/<style|style=|\son\w+=/);
    expect(page.body.match(/<script[^>]*>/g)).toEqual(['<script src="/auth/passkeys.js" defer>']);
    expect(policy).toContain("script-src 'self'");
    const css = await request(auth.origin).get("/auth/pages.css").expect(200);
    expect(css.type).toBe("text/css");
  });

  test("an interaction belongs to the browser that began it, and to no other site", async () => {
    const browser = createBrowser(auth.origin);
    const page = await browser.open((await authorization(demo)).url);
    const stranger = await createBrowser(auth.origin).open(page.url);
    expect([stranger.status, stranger.body]).toEqual([400, expect.stringContaining("has ended")]);

    const cookie = browser.cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
    await request(auth.origin)
      .post(page.url.pathname)
      .set({ Cookie: cookie, "Sec-Fetch-Site": "cross-site" })
      .type("form")
      .send(person)
      .expect(403);
  });
});

describe("refresh tokens", () => {
  test("keep saying when and how the person signed in", async () => {
    const { tokens } = await getTokens();
    const { auth_time, amr } = payloadOf(tokens.access_token);
    expect(auth_time).toBe(tokens.claims()?.auth_time ?? auth_time);
    expect([Math.abs(auth_time - Date.now() / 1000) < 60, amr]).toEqual([true, ["pwd"]]);
    await sleep(1_100);
    const renewed = await openid.refreshTokenGrant(demo, tokens.refresh_token ?? "");
    expect(payloadOf(renewed.access_token)).toMatchObject({ auth_time, amr });
  });

  test("revoked, they give no token, and userinfo refuses what they gave", async () => {
    const { tokens } = await getTokens();
    await openid.tokenRevocation(demo, tokens.refresh_token ?? "");
    const after = openid.refreshTokenGrant(demo, tokens.refresh_token ?? "");
    expect(await refusal(after)).toBe("invalid_grant");
    const userinfo = openid.fetchUserInfo(demo, tokens.access_token, openid.skipSubjectCheck);
    await expect(userinfo).rejects.toThrow();
  });

  test("introspection tells a client about its own", async () => {
    const { tokens } = await getTokens(web);
    const own = await openid.tokenIntrospection(web, tokens.refresh_token ?? "");
    expect(own).toMatchObject({ active: true, client_id: "web" });
    const foreign = await openid.tokenIntrospection(service, tokens.refresh_token ?? "");
    expect(foreign).toEqual({ active: false });
  });
});

describe("client credentials", () => {
  test("give a client what it is registered with, and no person's claims", async () => {
    const tokens = await openid.clientCredentialsGrant(service, { scope: "posts:read" });
    const claims = payloadOf(tokens.access_token);
    expect(claims).toMatchObject({
      aud: auth.origin,
      sub: "demo-service",
      client_id: "demo-service",
      scope: "posts:read",
    });
    expect(claims).not.toHaveProperty("roles");
    expect(claims).not.toHaveProperty("grant_id");
  });

  test("refuse more than that, a wrong secret, and a client without the grant", async () => {
    const grant = (client: openid.Configuration, scope: string) =>
      refusal(openid.clientCredentialsGrant(client, { scope }));
    expect(await grant(service, "patients:read")).toBe("invalid_scope");
    expect(await grant(web, "posts:read")).toBe("invalid_request");
    await request(auth.origin)
      .post("/auth/token")
      .auth("demo-service", "not the secret")
      .type("form")
      .send({ grant_type: "client_credentials" })
      .expect(401);
  });

  test("their token is no person's at userinfo", async () => {
    const { access_token } = await openid.clientCredentialsGrant(service, { scope: "posts:read" });
    const reply = await request(auth.origin)
      .get("/auth/userinfo")
      .set("Authorization", `Bearer ${access_token}`)
      .expect(401);
    expect(reply.body.error).toBe("invalid_token");
  });
});

describe("the end of a session", () => {
  test("asks, ends it, and goes back to the client; its tokens are refreshed no more", async () => {
    const { tokens, browser } = await getTokens(web, person, {
      scope: "openid posts:read",
      prompt: "login",
    });
    const url = openid.buildEndSessionUrl(web, {
      id_token_hint: tokens.id_token ?? "",
      post_logout_redirect_uri: "https://web.example/",
    });
    const page = await browser.open(url);
    expect(page.body).toContain("Sign out?");
    const back = await browser.submit(page, { logout: "yes" });
    expect(back.url.href).toBe("https://web.example/");
    const next = await browser.open((await authorization(web)).url);
    expect(next.body).toContain("Sign in");
    const userinfo = openid.fetchUserInfo(web, tokens.access_token, openid.skipSubjectCheck);
    await expect(userinfo).rejects.toThrow();
  });
});

describe("what is kept", () => {
  test("has no code, refresh token, session cookie or secret that anybody could use", async () => {
    const { tokens, callback, browser } = await getTokens(web);
    const names = [
      "authorizationCodes",
      "refreshTokenFamilies",
      "sessions",
      "interactions",
      "clients",
    ];
    const kept = await Promise.all(
      names.map((name) => auth.mongo.collection(name).find().toArray()),
    );
    expect(kept.map((documents) => documents.length > 0)).toEqual([true, true, true, true, true]);
    const everything = JSON.stringify([kept, auth.logged()]);
    const session = browser.cookies.find(({ name }) => name === "_session")?.value ?? "";
    const secrets = [callback.searchParams.get("code"), tokens.refresh_token, session, secret];
    for (const value of secrets) {
      expect(value).toBeTruthy();
      expect(everything).not.toContain(value);
    }
  });
});

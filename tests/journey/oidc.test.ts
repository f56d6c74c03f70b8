/**
 * OpenID Connect through the real gateway, by an unmodified client: what the gateway lets through, and
 * what it does to cookies, redirects and forms, shows only here.
 */
import { createBrowser } from "@portico/dev-env";
import * as openid from "openid-client";
import { describe, expect, inject, it } from "vitest";
import { call } from "../http.ts";

const { ready } = inject("platform");
const redirectUri = "http://127.0.0.1:49152/callback";
const afterSignOut = "http://127.0.0.1:49152/signed-out";

const discover = (id: string, authentication: openid.ClientAuth) =>
  openid.discovery(new URL(`${ready.gateway}/auth`), id, undefined, authentication, {
    execute: [openid.allowInsecureRequests],
  });

const secretOf = (id: string): string =>
  String(ready.clients.find(({ client_id }) => client_id === id)?.client_secret);

/** What an application asks for, and what binds the answer to it. */
async function request(client: openid.Configuration) {
  const pkceCodeVerifier = openid.randomPKCECodeVerifier();
  const [expectedState, expectedNonce] = [openid.randomState(), openid.randomNonce()];
  const url = openid.buildAuthorizationUrl(client, {
    redirect_uri: redirectUri,
    scope: "openid email profile offline_access posts:read",
    prompt: "consent",
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    state: expectedState,
    nonce: expectedNonce,
  });
  return { url, checks: { pkceCodeVerifier, expectedState, expectedNonce } };
}

/** Signs in as a person would, and comes back with the answer of the authorization endpoint. */
async function signInWithBrowser(client: openid.Configuration) {
  const { url, checks } = await request(client);
  const person = ready.users.find(({ kind }) => kind === "verified");
  const browser = createBrowser(ready.gateway);
  const page = await browser.open(url);
  const fields = { email: String(person?.email), password: String(person?.password) };
  const callback = await browser.submit(page, fields);
  return { callback, person, checks, browser };
}

describe("OpenID Connect through the gateway", () => {
  it("code + PKCE, userinfo, a service, refresh, logout: one access token serves them all", async () => {
    const client = await discover("demo", openid.None());
    const { callback, person, checks, browser } = await signInWithBrowser(client);
    expect(callback.url.href).toContain(redirectUri);

    const tokens = await openid.authorizationCodeGrant(client, callback.url, checks);
    expect(tokens.claims()?.sub).toBe(person?.id);
    const userinfo = await openid.fetchUserInfo(client, tokens.access_token, String(person?.id));
    expect(userinfo.email).toBe(person?.email);
    expect((await call(`${ready.gateway}/posts`, { token: tokens.access_token })).status).toBe(200);

    const renewed = await openid.refreshTokenGrant(client, String(tokens.refresh_token));
    expect(renewed.refresh_token).not.toBe(tokens.refresh_token);
    expect((await call(`${ready.gateway}/posts`, { token: renewed.access_token })).status).toBe(
      200,
    );

    const signOut = openid.buildEndSessionUrl(client, {
      id_token_hint: String(renewed.id_token),
      post_logout_redirect_uri: afterSignOut,
    });
    const back = await browser.submit(await browser.open(signOut), { logout: "yes" });
    expect(back.url.href).toBe(afterSignOut);
    expect((await browser.open((await request(client)).url)).body).toContain("Sign in");
  });

  it("a service gets a token for itself by its client credentials", async () => {
    const client = await discover(
      "demo-service",
      openid.ClientSecretBasic(secretOf("demo-service")),
    );
    const tokens = await openid.clientCredentialsGrant(client, { scope: "posts:read" });
    expect((await call(`${ready.gateway}/posts`, { token: tokens.access_token })).status).toBe(200);
    expect((await call(`${ready.gateway}/cards`, { token: tokens.access_token })).status).toBe(403);
  });

  it("a token that is bound to a key reaches a service with its proof, and nobody without one", async () => {
    const client = await discover(
      "demo-service",
      openid.ClientSecretBasic(secretOf("demo-service")),
    );
    const DPoP = openid.getDPoPHandle(client, await openid.randomDPoPKeyPair());
    const scope = { scope: "posts:read" };
    const { access_token } = await openid.clientCredentialsGrant(client, scope, { DPoP });
    const posts = new URL(`${ready.gateway}/posts?limit=1`);
    const proved = await openid.fetchProtectedResource(
      client,
      access_token,
      posts,
      "GET",
      undefined,
      undefined,
      { DPoP },
    );
    expect(proved.status).toBe(200);
    const stolen = await call(posts.href, { token: access_token });
    expect([stolen.status, stolen.body.code]).toEqual([401, "unauthenticated"]);
  });

  it("a pushed request and a device pass the gateway", async () => {
    const client = await discover("demo", openid.None());
    const { url } = await request(client);
    const pushed = await openid.buildAuthorizationUrlWithPAR(client, url.searchParams);
    const browser = createBrowser(ready.gateway);
    expect((await browser.open(pushed)).body).toContain("Sign in");

    const device = await openid.initiateDeviceAuthorization(client, { scope: "openid" });
    const page = await browser.open(device.verification_uri);
    const compare = await browser.submit(page, { user_code: device.user_code });
    expect(compare.body).toContain("Is this your device?");
  });

  it("everything that the sign-in page refers to can be had without a token", async () => {
    const browser = createBrowser(ready.gateway);
    const page = await browser.open((await request(await discover("demo", openid.None()))).url);
    const referred = [...page.body.matchAll(/(?:href|src)="(\/[^"]*)"/g)];
    expect(referred.length).toBeGreaterThan(0);
    for (const [, path = ""] of referred) {
      const { url, status } = await browser.open(path);
      // To an identity provider the browser leaves.
      if (url.origin === ready.gateway) expect(status, path).toBe(200);
    }
  });
});

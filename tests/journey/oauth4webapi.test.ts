/**
 * The whole walk of a relying party by a second client library, unmodified, through the real gateway:
 * code + PKCE, userinfo, refresh, RP-initiated logout. Unlike openid-client, this one hides nothing of
 * the protocol: each request and the check of its answer is a step of its own.
 */
import { createBrowser } from "@portico/dev-env";
import * as oauth from "oauth4webapi";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { seeded } from "../people.ts";

const { ready } = inject("platform");
const issuer = `${ready.gateway}/auth`;
const redirectUri = "http://127.0.0.1:49153/callback";
const afterSignOut = "http://127.0.0.1:49153/signed-out";
const plainHttp = { [oauth.allowInsecureRequests]: true };

const client: oauth.Client = { client_id: "demo" };
const person = seeded(ready, "verified");
const browser = createBrowser(ready.gateway);

const discover = async (expected: string) =>
  oauth.processDiscoveryResponse(
    new URL(expected),
    await oauth.discoveryRequest(new URL(issuer), plainHttp),
  );

let server: oauth.AuthorizationServer;
beforeAll(async () => {
  server = await discover(issuer);
});

/** Each with PKCE, state and nonce. */
async function newRequest(prompt: "consent" | "none") {
  const verifier = oauth.generateRandomCodeVerifier();
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
  const url = new URL(String(server.authorization_endpoint));
  url.search = String(
    new URLSearchParams({
      client_id: client.client_id,
      response_type: "code",
      redirect_uri: redirectUri,
      scope: "openid email offline_access posts:read",
      prompt,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
      nonce,
    }),
  );
  return { url, verifier, state, nonce };
}

async function signIn(): Promise<oauth.TokenEndpointResponse> {
  const { url, verifier, state, nonce } = await newRequest("consent");
  const page = await browser.open(url);
  const { email, password } = person;
  const callback = await browser.submit(page, { email, password });
  const reply = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    oauth.None(),
    oauth.validateAuthResponse(server, client, callback.url, state),
    redirectUri,
    verifier,
    plainHttp,
  );
  const checks = { expectedNonce: nonce, requireIdToken: true };
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, reply, checks);
  // The library itself leaves the signature to TLS between it and the token endpoint.
  await oauth.validateApplicationLevelSignature(server, reply, plainHttp);
  return tokens;
}

async function refresh(refreshToken = ""): Promise<oauth.TokenEndpointResponse> {
  const reply = await oauth.refreshTokenGrantRequest(
    server,
    client,
    oauth.None(),
    refreshToken,
    plainHttp,
  );
  return oauth.processRefreshTokenResponse(server, client, reply);
}

async function userinfo({ access_token }: oauth.TokenEndpointResponse) {
  const reply = await oauth.userInfoRequest(server, client, access_token, plainHttp);
  return oauth.processUserInfoResponse(server, client, person.id, reply);
}

async function signOut(idToken = "") {
  const state = oauth.generateRandomState();
  const url = new URL(String(server.end_session_endpoint));
  url.search = String(
    new URLSearchParams({
      id_token_hint: idToken,
      post_logout_redirect_uri: afterSignOut,
      state,
    }),
  );
  const back = await browser.submit(await browser.open(url), { logout: "yes" });
  return { back, state };
}

/** Throws what the authorization endpoint answers when it may not ask anybody anything. */
async function askSilently() {
  const { url, state } = await newRequest("none");
  const { url: answer } = await browser.open(url);
  return () => oauth.validateAuthResponse(server, client, answer, state);
}

describe("oauth4webapi through the gateway", () => {
  it("code + PKCE, userinfo, refresh, and RP-initiated logout back to the client", async () => {
    const tokens = await signIn();
    expect(oauth.getValidatedIdTokenClaims(tokens)?.sub).toBe(person.id);
    expect((await userinfo(tokens)).email).toBe(person.email);

    const renewed = await refresh(tokens.refresh_token);
    expect(renewed.refresh_token).not.toBe(tokens.refresh_token);
    expect((await userinfo(renewed)).sub).toBe(person.id);

    // Somebody is signed in; an application on their machine still gets no code behind their back (RFC 8252, 8.6).
    expect(await askSilently()).toThrow(expect.objectContaining({ error: "interaction_required" }));
    const { back, state } = await signOut(renewed.id_token);
    expect(back.url.href).toBe(`${afterSignOut}?state=${state}`);
    expect(await askSilently()).toThrow(expect.objectContaining({ error: "login_required" }));
  });

  it("refuses an issuer that differs by a slash only, as every client must", async () => {
    await expect(discover(`${issuer}/`)).rejects.toMatchObject({
      code: oauth.JSON_ATTRIBUTE_COMPARISON,
    });
  });
});

/**
 * Signing in with another identity provider, through the real gateway: three hosts, a browser that keeps
 * their cookies apart, and redirects between them.
 */
import { createBrowser } from "@portico/dev-env";
import * as openid from "openid-client";
import { describe, expect, inject, it } from "vitest";
import { call } from "../http.ts";

const { ready } = inject("platform");
const provider = ready.sandboxes.identityProvider.url;
const redirectUri = "http://127.0.0.1:49152/callback";

/** Somebody whom only the identity provider knows. */
async function newcomer(): Promise<{ sub: string; email: string }> {
  const email = `newcomer-${crypto.randomUUID()}@sandbox-id.example`;
  const json = { email, givenName: "Mary", familyName: "Shelley" };
  return (await call(`${provider}/_sandbox/people`, { json })).body;
}

describe("sign in with another identity provider", () => {
  it("makes an account at the first time, and its token serves userinfo and the services", async () => {
    const client = await openid.discovery(
      new URL(`${ready.gateway}/auth`),
      "demo",
      undefined,
      openid.None(),
      { execute: [openid.allowInsecureRequests] },
    );
    const pkceCodeVerifier = openid.randomPKCECodeVerifier();
    const [expectedState, expectedNonce] = [openid.randomState(), openid.randomNonce()];
    const [here, there] = [createBrowser(ready.gateway), createBrowser(provider)];
    const person = await newcomer();

    const signInPage = await here.open(
      openid.buildAuthorizationUrl(client, {
        redirect_uri: redirectUri,
        scope: "openid email profile posts:read",
        code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: "S256",
        state: expectedState,
        nonce: expectedNonce,
      }),
    );
    const [, button = ""] = /href="([^"]+)">Continue with Sandbox ID</.exec(signInPage.body) ?? [];
    const asked = await there.open((await here.open(button)).url);
    expect(asked.body).toContain("Choose who signs in to portico");
    const answer = await there.submit(asked, { sub: person.sub });
    const end = await here.open(answer.url);
    expect(end.url.href).toContain(redirectUri);

    const checks = { pkceCodeVerifier, expectedState, expectedNonce };
    const tokens = await openid.authorizationCodeGrant(client, end.url, checks);
    const subject = String(tokens.claims()?.sub);
    expect(tokens.claims()?.amr).toEqual(["fed"]);
    const userinfo = await openid.fetchUserInfo(client, tokens.access_token, subject);
    expect(userinfo).toMatchObject({
      email: person.email,
      email_verified: true,
      name: "Mary Shelley",
    });
    const token = tokens.access_token;
    expect((await call(`${ready.gateway}/posts`, { token })).status).toBe(200);
    const identities = await call(`${ready.gateway}/auth/users/me/identities`, { token });
    expect(identities.body.items).toMatchObject([{ provider: "Sandbox ID", issuer: provider }]);

    const replayed = await here.open(answer.url);
    expect([replayed.status, replayed.body]).toEqual([400, expect.stringContaining("has ended")]);
    expect((await call(`${ready.gateway}/auth/users/me/identities`)).status).toBe(401);
  });
});

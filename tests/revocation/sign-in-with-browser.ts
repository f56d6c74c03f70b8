import { createBrowser } from "@portico/dev-env";
import * as openid from "openid-client";

const redirectUri = "http://127.0.0.1:49152/callback";

/** Code + PKCE as somebody does it in a new browser, with offline access. */
export async function signInWithBrowser(
  gateway: string,
  client: openid.Configuration,
  { email, password }: { email: string; password: string },
) {
  const pkceCodeVerifier = openid.randomPKCECodeVerifier();
  const url = openid.buildAuthorizationUrl(client, {
    redirect_uri: redirectUri,
    scope: "openid offline_access posts:read payments:read cards:read",
    prompt: "consent",
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
  });
  const browser = createBrowser(gateway);
  let visit = await browser.open(url);
  for (let pages = 0; visit.url.origin === gateway && pages < 3; pages += 1) {
    visit = await browser.submit(visit, { email, password });
  }
  return { tokens: await openid.authorizationCodeGrant(client, visit.url, { pkceCodeVerifier }) };
}

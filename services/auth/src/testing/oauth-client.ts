/** Clients of every kind, each an unmodified openid-client, and the way through the pages of auth. */
import { type Browser, createBrowser, type Visit } from "@portico/dev-env";
import * as openid from "openid-client";
import type { ClientMetadata } from "../clients/client.ts";
import { createClientStore } from "../clients/client-store.ts";
import { everyScope } from "../roles/role.ts";
import type { Person } from "./people.ts";
import type { TestAuth } from "./start-auth.ts";

export const clientSecret = "a-secret-that-only-tests-use-0123456789";
export const callback = "https://client.example/callback";

/** A web application of the platform's own; `metadata` replaces or adds to it. */
export async function registerClient(
  auth: TestAuth,
  metadata: ClientMetadata,
  authentication?: openid.ClientAuth,
): Promise<openid.Configuration> {
  const isPublic = metadata.token_endpoint_auth_method === "none";
  const hasSecret = !metadata.token_endpoint_auth_method?.toString().match(/none|private_key_jwt/);
  await createClientStore(auth.mongo).save({
    ...(hasSecret && { client_secret: clientSecret }),
    grant_types: ["authorization_code", "refresh_token"],
    redirect_uris: [callback],
    scope: everyScope.join(" "),
    ...metadata,
  });
  return openid.discovery(
    new URL(`${auth.origin}/auth`),
    metadata.client_id,
    undefined,
    authentication ?? (isPublic ? openid.None() : openid.ClientSecretBasic(clientSecret)),
    { execute: [openid.allowInsecureRequests] },
  );
}

export type Authorization = {
  parameters: Record<string, string>;
  checks: openid.AuthorizationCodeGrantChecks;
};

/** An authorization request with PKCE, state and nonce; an empty parameter is left out. */
export async function newAuthorization(
  changes: Record<string, string> = {},
): Promise<Authorization> {
  const pkceCodeVerifier = openid.randomPKCECodeVerifier();
  const [expectedState, expectedNonce] = [openid.randomState(), openid.randomNonce()];
  const parameters = {
    redirect_uri: callback,
    scope: "openid offline_access posts:read",
    prompt: "consent",
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    state: expectedState,
    nonce: expectedNonce,
    ...changes,
  };
  const given = Object.entries(parameters).filter(([, value]) => value !== "");
  return {
    parameters: Object.fromEntries(given),
    checks: { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true },
  };
}

/** Fills in and sends whatever auth asks, until the client has its answer or a page is the answer. */
export async function goThrough(browser: Browser, start: URL, person: Person): Promise<Visit> {
  let visit = await browser.open(start);
  for (let pages = 0; pages < 3 && /<form[^>]*interaction/.test(visit.body); pages += 1) {
    visit = await browser.submit(visit, person);
  }
  return visit;
}

/** Code + PKCE for somebody in a new browser. */
export async function getTokens(
  auth: TestAuth,
  client: openid.Configuration,
  person: Person,
  changes: Record<string, string> = {},
  options: openid.AuthorizationCodeGrantOptions = {},
) {
  const browser = createBrowser(auth.origin);
  const { parameters, checks } = await newAuthorization(changes);
  const url = openid.buildAuthorizationUrl(client, parameters);
  const { url: answer } = await goThrough(browser, url, person);
  const tokens = await openid.authorizationCodeGrant(client, answer, checks, undefined, options);
  return { tokens, answer, checks, browser };
}

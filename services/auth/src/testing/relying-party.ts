/** A client of auth, as the programs of others are: an unmodified openid-client, and a person's browser. */
import { type Browser, createBrowser } from "@portico/dev-env";
import * as openid from "openid-client";
import { createClientStore } from "../clients/client-store.ts";
import { everyScope } from "../roles/role.ts";
import type { Person } from "./people.ts";
import type { TestAuth } from "./start-auth.ts";

const redirectUri = "https://rp.example/callback";

export type RelyingParty = {
  configuration: openid.Configuration;
  /** Code + PKCE, for somebody who signs in in this browser; `DPoP` binds the tokens to a key. */
  signIn(
    person: Person,
    scope?: string,
    browser?: Browser,
    DPoP?: openid.DPoPHandle,
  ): Promise<Tokens>;
  refresh(refreshToken: string): Promise<Tokens>;
};

export type Tokens = openid.TokenEndpointResponse & openid.TokenEndpointResponseHelpers;

/** @param secret none for a client that cannot keep one */
export async function createRelyingParty(
  auth: Pick<TestAuth, "origin" | "mongo">,
  id: string,
  secret?: string,
): Promise<RelyingParty> {
  await createClientStore(auth.mongo).save({
    client_id: id,
    ...(secret ? { client_secret: secret } : { token_endpoint_auth_method: "none" }),
    grant_types: ["authorization_code", "refresh_token"],
    redirect_uris: [redirectUri],
    post_logout_redirect_uris: ["https://rp.example/"],
    scope: everyScope.join(" "),
  });
  const configuration = await openid.discovery(
    new URL(`${auth.origin}/auth`),
    id,
    undefined,
    secret ? openid.ClientSecretBasic(secret) : openid.None(),
    { execute: [openid.allowInsecureRequests] },
  );

  return {
    configuration,
    refresh: (refreshToken) => openid.refreshTokenGrant(configuration, refreshToken),

    async signIn(
      person,
      scope = "openid offline_access",
      browser = createBrowser(auth.origin),
      DPoP = undefined,
    ) {
      const pkceCodeVerifier = openid.randomPKCECodeVerifier();
      const url = openid.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        scope,
        prompt: "consent",
        code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: "S256",
      });
      let visit = await browser.open(url);
      for (let pages = 0; visit.url.origin === auth.origin && pages < 3; pages += 1) {
        visit = await browser.submit(visit, person);
      }
      const options = DPoP && { DPoP };
      return openid.authorizationCodeGrant(
        configuration,
        visit.url,
        { pkceCodeVerifier },
        undefined,
        options,
      );
    },
  };
}

/** The error of OAuth that a request was refused with, in the body or in a challenge, or "accepted". */
export const refusalOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "accepted",
    (error: { error?: string }) => error.error ?? challengeOf(error) ?? String(error),
  );

const challengeOf = (error: unknown): string | undefined =>
  error instanceof openid.WWWAuthenticateChallengeError
    ? error.cause.map(({ parameters }) => parameters.error).find(Boolean)
    : undefined;

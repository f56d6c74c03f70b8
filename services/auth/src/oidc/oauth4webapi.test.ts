/** A second client library, unmodified, through what this folder adds: PAR, DPoP, issuer, device flow, revocation. */
import { createBrowser } from "@portico/dev-env";
import * as oauth from "oauth4webapi";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { callback, clientSecret, goThrough, registerClient } from "../testing/oauth-client.ts";
import type { Person } from "../testing/people.ts";
import { addMember } from "../testing/people.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
let server: oauth.AuthorizationServer;
let person: Person;

const plainHttp = { [oauth.allowInsecureRequests]: true };
const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

beforeAll(async () => {
  auth = await startAuth(inject("stores"));
  const issuer = new URL(`${auth.origin}/auth`);
  await registerClient(auth, {
    client_id: "web",
    require_pushed_authorization_requests: true,
    dpop_bound_access_tokens: true,
  });
  await registerClient(auth, {
    client_id: "television",
    token_endpoint_auth_method: "none",
    grant_types: [deviceGrant],
    response_types: [],
    redirect_uris: [],
  });
  const discovery = await oauth.discoveryRequest(issuer, plainHttp);
  server = await oauth.processDiscoveryResponse(issuer, discovery);
  person = await addMember(auth);
});
afterAll(() => auth.stop());

/** Sends once more when the server asks for a nonce, as the library leaves to its users. */
async function withNonce<T>(send: () => Promise<Response>, read: (reply: Response) => Promise<T>) {
  try {
    return await read(await send());
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    return read(await send());
  }
}

test("oauth4webapi > pushes a request, proves a key, and reads and calls what it was given", async () => {
  const client: oauth.Client = { client_id: "web" };
  const authentication = oauth.ClientSecretBasic(clientSecret);
  const options = { ...plainHttp, DPoP: oauth.DPoP(client, await oauth.generateKeyPair("ES256")) };
  const verifier = oauth.generateRandomCodeVerifier();
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
  const parameters = new URLSearchParams({
    response_type: "code",
    redirect_uri: callback,
    scope: "openid posts:read",
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
  });
  const pushed = await withNonce(
    () => oauth.pushedAuthorizationRequest(server, client, authentication, parameters, options),
    (reply) => oauth.processPushedAuthorizationResponse(server, client, reply),
  );

  const url = new URL(server.authorization_endpoint ?? "");
  url.search = String(new URLSearchParams({ client_id: "web", request_uri: pushed.request_uri }));
  const { url: answer } = await goThrough(createBrowser(auth.origin), url, person);
  const answered = oauth.validateAuthResponse(server, client, answer, state);
  const tokens = await withNonce(
    () =>
      oauth.authorizationCodeGrantRequest(
        server,
        client,
        authentication,
        answered,
        callback,
        verifier,
        options,
      ),
    (reply) =>
      oauth.processAuthorizationCodeResponse(server, client, reply, {
        expectedNonce: nonce,
        requireIdToken: true,
      }),
  );
  expect(tokens.token_type).toBe("dpop");
  const { sub = "" } = oauth.getValidatedIdTokenClaims(tokens) ?? {};

  const me = await oauth.protectedResourceRequest(
    tokens.access_token,
    "GET",
    new URL(`${auth.origin}/auth/users/me`),
    undefined,
    null,
    options,
  );
  expect(await me.json()).toMatchObject({ id: sub, email: person.email });
  const userinfo = await withNonce(
    () => oauth.userInfoRequest(server, client, tokens.access_token, options),
    (reply) => oauth.processUserInfoResponse(server, client, sub, reply),
  );
  expect(userinfo.sub).toBe(sub);

  const about = await oauth.processIntrospectionResponse(
    server,
    client,
    await oauth.introspectionRequest(
      server,
      client,
      authentication,
      tokens.access_token,
      plainHttp,
    ),
  );
  expect(about).toMatchObject({ active: true, sub, token_type: "DPoP" });
  await oauth.processRevocationResponse(
    await oauth.revocationRequest(server, client, authentication, tokens.access_token, plainHttp),
  );
});

test("oauth4webapi > verifies our access tokens as a resource server does (RFC 9068)", async () => {
  const client: oauth.Client = { client_id: "service" };
  await registerClient(auth, {
    client_id: "service",
    grant_types: ["client_credentials"],
    response_types: [],
    redirect_uris: [],
    scope: "posts:read",
  });
  const reply = await oauth.clientCredentialsGrantRequest(
    server,
    client,
    oauth.ClientSecretBasic(clientSecret),
    new URLSearchParams({ scope: "posts:read" }),
    plainHttp,
  );
  const { access_token } = await oauth.processClientCredentialsResponse(server, client, reply);
  const call = new Request("https://api.example/", {
    headers: { authorization: `Bearer ${access_token}` },
  });
  const claims = await oauth.validateJwtAccessToken(server, call, auth.origin, plainHttp);
  expect(claims).toMatchObject({ client_id: "service", scope: "posts:read" });
});

test("oauth4webapi > connects a device", async () => {
  const client: oauth.Client = { client_id: "television" };
  const begun = await oauth.processDeviceAuthorizationResponse(
    server,
    client,
    await oauth.deviceAuthorizationRequest(
      server,
      client,
      oauth.None(),
      new URLSearchParams({ scope: "openid posts:read" }),
      plainHttp,
    ),
  );
  const poll = async () =>
    oauth.processDeviceCodeResponse(
      server,
      client,
      await oauth.deviceCodeGrantRequest(
        server,
        client,
        oauth.None(),
        begun.device_code,
        plainHttp,
      ),
    );
  await expect(poll()).rejects.toMatchObject({ error: "authorization_pending" });

  const browser = createBrowser(auth.origin);
  const page = await browser.open(begun.verification_uri);
  const compare = await browser.submit(page, { user_code: begun.user_code });
  const next = await browser.submit(compare, { confirm: "yes" });
  expect((await goThrough(browser, next.url, person)).body).toContain("Connected");
  expect(oauth.getValidatedIdTokenClaims(await poll())?.aud).toBe("television");
});

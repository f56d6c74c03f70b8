import { type Browser, createBrowser } from "@portico/dev-env";
import * as openid from "openid-client";
import { describe, expect, it, onTestFinished } from "vitest";
import type { IdTokenFault } from "./faults.ts";
import { createIdentityProvider, type IdentityProvider } from "./identity-provider.ts";

const redirectUri = "https://app.example/callback";
const client = {
  clientId: "app",
  clientSecret: "a-secret-of-the-tests",
  redirectUris: [redirectUri],
};

async function open(): Promise<IdentityProvider> {
  const provider = await createIdentityProvider({ clients: [client] });
  onTestFinished(() => provider.close());
  return provider;
}

const discover = async (provider: IdentityProvider) => {
  const configuration = await openid.discovery(
    new URL(provider.url),
    client.clientId,
    { id_token_signed_response_alg: "RS256" },
    openid.ClientSecretPost(client.clientSecret),
    { execute: [openid.allowInsecureRequests, openid.enableNonRepudiationChecks] },
  );
  return configuration;
};

/** As an application does it; `pick` fills in the page that asks who it is. */
async function signIn(
  provider: IdentityProvider,
  pick: Record<string, string>,
  { browser = createBrowser(provider.url), parameters = {} as Record<string, string> } = {},
) {
  const configuration = await discover(provider);
  const pkceCodeVerifier = openid.randomPKCECodeVerifier();
  const [expectedState, expectedNonce] = [openid.randomState(), openid.randomNonce()];
  const url = openid.buildAuthorizationUrl(configuration, {
    redirect_uri: redirectUri,
    scope: "openid email profile",
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    state: expectedState,
    nonce: expectedNonce,
    ...parameters,
  });
  const page = await browser.open(url);
  const back = page.url.href.startsWith(redirectUri) ? page : await browser.submit(page, pick);
  const checks = { pkceCodeVerifier, expectedState, expectedNonce };
  return {
    page,
    back,
    tokens: () => openid.authorizationCodeGrant(configuration, back.url, checks),
  };
}

const ada = "100000000000000000001";

const reasonOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "accepted",
    (error: Error & { code?: string }) => `${error.code}`,
  );

describe("sign-in", () => {
  it("gives an ID token with what Google says of a person, signed with RS256", async () => {
    const provider = await open();
    const { tokens } = await signIn(provider, { sub: ada });
    const { id_token = "", claims, access_token } = await tokens();

    const header = JSON.parse(Buffer.from(id_token.split(".")[0] ?? "", "base64url").toString());
    expect(header.alg).toBe("RS256");
    expect(claims()).toMatchObject({
      iss: provider.url,
      aud: client.clientId,
      sub: ada,
      email: "ada.lovelace@sandbox-id.example",
      email_verified: true,
      name: "Ada Lovelace",
      given_name: "Ada",
      family_name: "Lovelace",
      picture: `${provider.url}/picture/${ada}`,
    });
    expect(claims()).not.toHaveProperty("hd");
    const userinfo = await openid.fetchUserInfo(await discover(provider), access_token, ada);
    expect(userinfo.email).toBe("ada.lovelace@sandbox-id.example");
    expect((await fetch(String(userinfo.picture))).headers.get("content-type")).toContain("svg");
  });

  it("names the domain that manages an account, and says whose address is not verified", async () => {
    const provider = await open();
    const claimsOf = async (sub: string) =>
      (await (await signIn(provider, { sub })).tokens()).claims();

    expect(await claimsOf("100000000000000000002")).toMatchObject({ hd: "company.example" });
    expect(await claimsOf("100000000000000000003")).toMatchObject({ email_verified: false });
  });

  it("takes somebody new on its page", async () => {
    const provider = await open();
    const form = { givenName: "<b>Mary", familyName: "Shelley", email: "mary@sandbox-id.example" };
    const { tokens } = await signIn(provider, form);

    expect((await tokens()).claims()).toMatchObject({
      name: "<b>Mary Shelley",
      email_verified: false,
    });
    const { page } = await signIn(provider, { sub: ada });
    expect(page.body).toContain("&lt;b&gt;Mary Shelley");
    expect(page.body).not.toContain("<b>Mary");
  });

  it("goes back without a code when the person cancels", async () => {
    const { back } = await signIn(await open(), { cancel: "yes" });

    expect(back.url.searchParams.get("error")).toBe("access_denied");
    expect(back.url.searchParams.has("code")).toBe(false);
  });

  it("remembers the browser; prompt=select_account asks again", async () => {
    const provider = await open();
    const browser: Browser = createBrowser(provider.url);
    await signIn(provider, { sub: ada }, { browser });

    expect((await signIn(provider, {}, { browser })).page.url.href).toContain(redirectUri);
    const parameters = { prompt: "select_account" };
    const asked = await signIn(provider, { sub: ada }, { browser, parameters });
    expect(asked.page.body).toContain("Choose who signs in");
    expect(await reasonOf(asked.tokens())).toBe("accepted");
  });

  it("answers no redirect URI but the client's, and a lost page with 400", async () => {
    const provider = await open();
    const parameters = { redirect_uri: "https://evil.example/callback" };
    await expect(signIn(provider, {}, { parameters })).rejects.toThrow("No form");

    expect((await fetch(`${provider.url}/sign-in/nothing`)).status).toBe(400);
  });
});

describe("faults", () => {
  const codes: Record<IdTokenFault, string> = {
    nonce: "OAUTH_JWT_CLAIM_COMPARISON_FAILED",
    aud: "OAUTH_JWT_CLAIM_COMPARISON_FAILED",
    iss: "OAUTH_JWT_CLAIM_COMPARISON_FAILED",
    exp: "OAUTH_JWT_TIMESTAMP_CHECK_FAILED",
    alg: "OAUTH_INVALID_RESPONSE",
    signature: "OAUTH_INVALID_RESPONSE",
  };

  it.each(Object.entries(codes))("an ID token wrong in %s, once", async (wrong, code) => {
    const provider = await open();
    provider.faults.add({ kind: "id-token", wrong: wrong as IdTokenFault, count: 1 });
    const grant = async () => reasonOf((await signIn(provider, { sub: ada })).tokens());

    expect(await grant()).toBe(code);
    expect(await grant()).toBe("accepted");
  });

  it("an answer in the name of another issuer", async () => {
    const provider = await open();
    provider.faults.add({ kind: "response-issuer", count: 1 });
    const { tokens, back } = await signIn(provider, { sub: ada });

    expect(back.url.searchParams.get("iss")).toBe("https://elsewhere.example");
    expect(await reasonOf(tokens())).toBe("OAUTH_INVALID_RESPONSE");
  });

  it("a path that is down, and only that", async () => {
    const provider = await open();
    provider.faults.add({ kind: "error", status: 503, path: "/token" });
    const { tokens } = await signIn(provider, { sub: ada });
    await expect(tokens()).rejects.toThrow("unexpected");
    provider.faults.clear();
    expect(await reasonOf((await signIn(provider, { sub: ada })).tokens())).toBe("accepted");
  });

  it("other keys: what the old one signed is no longer to be verified, sessions live on", async () => {
    const provider = await open();
    const browser = createBrowser(provider.url);
    await signIn(provider, { sub: ada }, { browser });
    const kids = async () => {
      const response = await fetch(`${provider.url}/oauth2/v3/certs`);
      const { keys } = (await response.json()) as { keys: { kid: string }[] };
      return keys.map(({ kid }) => kid);
    };
    const before = await kids();
    provider.rotateKeys();

    expect(await kids()).not.toEqual(before);
    const { page, tokens } = await signIn(provider, {}, { browser });
    expect(page.url.href).toContain(redirectUri);
    expect(await reasonOf(tokens())).toBe("accepted");
  });
});

describe("administration", () => {
  const call = async (provider: IdentityProvider, method: string, path: string, body?: object) => {
    const response = await fetch(`${provider.url}/_sandbox${path}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text ? JSON.parse(text) : undefined };
  };

  it("adds, lists and removes people; two may have one address", async () => {
    const provider = await open();
    const grace = { givenName: "Grace", familyName: "Hopper", email: "grace@sandbox-id.example" };
    const [one, other] = await Promise.all([
      call(provider, "POST", "/people", grace),
      call(provider, "POST", "/people", grace),
    ]);
    expect([one.status, one.body.emailVerified]).toEqual([201, true]);
    expect(one.body.sub).toMatch(/^\d{21}$/);
    expect(other.body.sub).not.toBe(one.body.sub);

    expect((await call(provider, "DELETE", `/people/${one.body.sub}`)).status).toBe(204);
    expect((await call(provider, "DELETE", `/people/${one.body.sub}`)).status).toBe(404);
    const { people } = (await call(provider, "GET", "/people")).body;
    expect(people.map(({ sub }: { sub: string }) => sub)).toContain(other.body.sub);
    expect((await call(provider, "POST", "/people", { ...grace, email: "x" })).status).toBe(400);
  });

  it("takes orders of faults, counts requests, and resets", async () => {
    const provider = await open();
    expect((await call(provider, "POST", "/faults", { kind: "explode" })).status).toBe(400);
    expect((await call(provider, "POST", "/faults", { kind: "reset" })).status).toBe(201);
    await expect(fetch(`${provider.url}/token`)).rejects.toThrow();
    await call(provider, "DELETE", "/faults");
    await discover(provider);
    expect((await call(provider, "GET", "/counters")).body.byRoute).toMatchObject({
      "GET /token": 1,
      "GET /.well-known/openid-configuration": 1,
    });

    provider.people.remove(ada);
    await call(provider, "POST", "/reset");
    expect(provider.people.find(ada)?.givenName).toBe("Ada");
    expect(provider.counts()).toEqual({});
  });
});

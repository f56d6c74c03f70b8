import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createBrowser } from "@portico/dev-env";
import { createIdentityProvider, type IdentityProvider, type NewPerson } from "@portico/sandboxes";
import { Secret } from "@portico/service-kit";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { newBrowserSecret, proofsOf } from "./federated-sign-in.ts";
import type { IdentityProvider as Settings } from "./identity-provider.ts";
import {
  createRelyingParty,
  ProviderFailure,
  type RelyingParty,
  type RelyingPartyOptions,
} from "./relying-party.ts";

const redirectUri = "http://127.0.0.1:49152/auth/identity-providers/sandbox/callback";
const client = { clientId: "portico", clientSecret: "a-secret-that-only-tests-use" };

const settings = (issuer: string, more: Partial<Settings> = {}): Settings => ({
  id: "sandbox",
  name: "Sandbox ID",
  issuer,
  clientId: client.clientId,
  clientSecret: new Secret(client.clientSecret),
  scopes: ["openid", "email", "profile"],
  idTokenSigningAlg: "RS256",
  parameters: {},
  ...more,
});

type Setup = { sandbox: IdentityProvider; party: RelyingParty };

async function setUp(
  more: Partial<Settings> = {},
  options: Partial<RelyingPartyOptions> = {},
): Promise<Setup> {
  const sandbox = await createIdentityProvider({
    clients: [{ ...client, redirectUris: [redirectUri] }],
  });
  onTestFinished(() => sandbox.close());
  const party = createRelyingParty(settings(sandbox.url, more), { redirectUri, ...options });
  return { sandbox, party };
}

const grace: NewPerson = {
  email: "Grace@Sandbox.Example",
  givenName: "Grace",
  familyName: "Hopper",
};

/** There and back: what the provider answers in the URL, and what makes it ours. */
async function goThere({ sandbox, party }: Setup, person = grace, options = {}) {
  const proofs = proofsOf(newBrowserSecret(), newBrowserSecret());
  const url = await party.authorizationUrl(proofs, options);
  const browser = createBrowser(sandbox.url);
  const { sub } = sandbox.people.add(person);
  const back = await browser.submit(await browser.open(url), { sub });
  expect(back.url.href).toContain(redirectUri);
  return { url, answer: back.url.searchParams, proofs, browser, sub };
}

async function failureOf(work: Promise<unknown>): Promise<string> {
  const failure = await work.then(
    () => "accepted",
    (error) => error,
  );
  if (failure === "accepted") return failure;
  expect(failure).toBeInstanceOf(ProviderFailure);
  return failure.message;
}

describe("a sign-in", () => {
  test("tells who the person is, with the address as accounts have it", async () => {
    const setup = await setUp();
    const { url, answer, proofs, sub } = await goThere(setup);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      response_type: "code",
      scope: "openid email profile",
      redirect_uri: redirectUri,
      code_challenge_method: "S256",
      state: proofs.state,
      nonce: proofs.nonce,
    });
    expect(await setup.party.identify(answer, proofs)).toEqual({
      issuer: setup.sandbox.url,
      subject: sub,
      email: "grace@sandbox.example",
      emailVerified: true,
      name: "Grace Hopper",
    });
  });

  test("sends what the configuration adds", async () => {
    const { party } = await setUp({ scopes: ["openid"], parameters: { hd: "company.example" } });
    const url = await party.authorizationUrl(proofsOf("browser", "state"));
    expect(url.searchParams.get("hd")).toBe("company.example");
    expect(url.searchParams.get("scope")).toBe("openid");
  });

  test("an address counts as verified only when the provider says exactly that", async () => {
    const setup = await setUp();
    const unverified = await goThere(setup, { ...grace, emailVerified: false });
    const identity = await setup.party.identify(unverified.answer, unverified.proofs);
    expect(identity.emailVerified).toBe(false);
  });

  test("that must be fresh is asked for, and an older one refused", async () => {
    const setup = await setUp();
    const { url, answer, proofs } = await goThere(setup, grace, { reauthenticate: true });
    expect(url.searchParams.get("max_age")).toBe("0");
    const inAnHour = new Date(Date.now() + 3_600_000);
    expect(await failureOf(setup.party.identify(answer, proofs, inAnHour))).toBe(
      "refused: stale_authentication",
    );
    const again = await goThere(setup, grace, { reauthenticate: true });
    const aMomentAgo = new Date(Date.now() - 5_000);
    const fresh = setup.party.identify(again.answer, again.proofs, aMomentAgo);
    expect(await failureOf(fresh)).toBe("accepted");
  });

  test("a key that the provider has just made is known, and one that it gave up is not", async () => {
    const setup = await setUp();
    const first = await goThere(setup);
    expect(await failureOf(setup.party.identify(first.answer, first.proofs))).toBe("accepted");
    setup.sandbox.rotateKeys();
    const second = await goThere(setup);
    expect(await failureOf(setup.party.identify(second.answer, second.proofs))).toBe("accepted");
  });
});

describe("an answer that must not be believed", () => {
  test.each([
    ["nonce", "OAUTH_JWT_CLAIM_COMPARISON_FAILED"],
    ["aud", "OAUTH_JWT_CLAIM_COMPARISON_FAILED"],
    ["iss", "OAUTH_JWT_CLAIM_COMPARISON_FAILED"],
    ["exp", "OAUTH_JWT_TIMESTAMP_CHECK_FAILED"],
    ["alg", "OAUTH_INVALID_RESPONSE"],
    ["signature", "OAUTH_INVALID_RESPONSE"],
  ] as const)("an ID token with a wrong %s", async (wrong, code) => {
    const setup = await setUp();
    setup.sandbox.faults.add({ kind: "id-token", wrong, count: 1 });
    const { answer, proofs } = await goThere(setup);
    expect(await failureOf(setup.party.identify(answer, proofs))).toBe(`refused: ${code}`);
    const right = await goThere(setup);
    expect(await failureOf(setup.party.identify(right.answer, right.proofs))).toBe("accepted");
  });

  test("one that another issuer sent, or that names none where the provider always does", async () => {
    const setup = await setUp();
    setup.sandbox.faults.add({ kind: "response-issuer", count: 1 });
    const foreign = await goThere(setup);
    expect(await failureOf(setup.party.identify(foreign.answer, foreign.proofs))).toBe(
      "refused: OAUTH_INVALID_RESPONSE",
    );
    const { answer, proofs } = await goThere(setup);
    answer.delete("iss");
    expect(await failureOf(setup.party.identify(answer, proofs))).toBe(
      "refused: OAUTH_INVALID_RESPONSE",
    );
  });

  test("a code of somebody else's browser: its verifier is another", async () => {
    const setup = await setUp();
    const { answer, proofs } = await goThere(setup);
    const codeVerifier = proofsOf(newBrowserSecret(), proofs.state).codeVerifier;
    expect(await failureOf(setup.party.identify(answer, { ...proofs, codeVerifier }))).toBe(
      "refused: invalid_grant",
    );
  });

  test("an ID token by an algorithm that this provider is not known for", async () => {
    const setup = await setUp({ idTokenSigningAlg: "ES256" });
    const { answer, proofs } = await goThere(setup);
    expect(await failureOf(setup.party.identify(answer, proofs))).toBe(
      "refused: OAUTH_INVALID_RESPONSE",
    );
  });
});

describe("a provider that", () => {
  const ask = ({ party }: Setup) => failureOf(party.authorizationUrl(proofsOf("browser", "state")));

  test("is asked for its metadata once by all who need it, and again after ten minutes", async () => {
    let nowMs = 0;
    const setup = await setUp({}, { now: () => nowMs });
    const asked = () => setup.sandbox.counts()["GET /.well-known/openid-configuration"];
    await Promise.all([ask(setup), ask(setup), ask(setup)]);
    nowMs += 599_000;
    await ask(setup);
    expect(asked()).toBe(1);
    nowMs += 2_000;
    await ask(setup);
    expect(asked()).toBe(2);
  });

  test.each([
    ["is down", { kind: "error", status: 503 }],
    ["answers garbage", { kind: "garbage" }],
    ["breaks off", { kind: "truncated" }],
    ["resets connections", { kind: "reset" }],
  ] as const)("%s is unavailable, and is asked again the next time", async (_, fault) => {
    const setup = await setUp();
    setup.sandbox.faults.add({ ...fault, count: 1 });
    expect(await ask(setup)).toMatch(/^unavailable: /);
    expect(await ask(setup)).toBe("accepted");
  });

  test("is too slow is unavailable", async () => {
    const { sandbox } = await setUp();
    const slow = createRelyingParty(settings(sandbox.url), { redirectUri, timeoutMs: 100 });
    sandbox.faults.add({ kind: "slow", delayMs: 60_000 });
    expect(await ask({ sandbox, party: slow })).toBe("unavailable: OAUTH_TIMEOUT");
  });

  test.each(["/token", "/oauth2/v3/certs"])("fails at %s is unavailable", async (path) => {
    const setup = await setUp();
    setup.sandbox.faults.add({ kind: "error", status: 500, path, count: 1 });
    const { answer, proofs } = await goThere(setup);
    expect(await failureOf(setup.party.identify(answer, proofs))).toMatch(/^unavailable: /);
  });

  test("says no is not believed to have failed", async () => {
    const setup = await setUp();
    const proofs = proofsOf(newBrowserSecret(), newBrowserSecret());
    const browser = createBrowser(setup.sandbox.url);
    const page = await browser.open(await setup.party.authorizationUrl(proofs));
    const { url } = await browser.submit(page, { cancel: "yes" });
    expect(await failureOf(setup.party.identify(url.searchParams, proofs))).toBe(
      "declined: access_denied",
    );
  });
});

describe("an answer without end", () => {
  let stop: (() => void) | undefined;
  afterEach(() => stop?.());

  test("is cut off", async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const pour = () => response.writable && response.write("x".repeat(65_536), pour);
      pour();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    stop = () => {
      server.closeAllConnections();
      server.close();
    };
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const party = createRelyingParty(settings(issuer), { redirectUri, timeoutMs: 10_000 });
    const startedAt = performance.now();
    expect(await failureOf(party.authorizationUrl(proofsOf("a", "b")))).toMatch(/^unavailable: /);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});

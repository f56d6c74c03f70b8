/** Attacks on authorization codes (RFC 9700 sections 4.5 and 4.8): each beside what a client does rightly. */
import { createBrowser } from "@portico/dev-env";
import * as openid from "openid-client";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test, vi } from "vitest";
import {
  callback,
  clientSecret,
  goThrough,
  newAuthorization,
  registerClient,
} from "../testing/oauth-client.ts";
import type { Person } from "../testing/people.ts";
import { addMember } from "../testing/people.ts";
import { refusalOf } from "../testing/relying-party.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
let web: openid.Configuration;
let app: openid.Configuration;
let person: Person;

beforeAll(async () => {
  auth = await startAuth(inject("stores"));
  web = await registerClient(auth, { client_id: "web" });
  app = await registerClient(auth, { client_id: "app", token_endpoint_auth_method: "none" });
  await registerClient(auth, { client_id: "other" });
  person = await addMember(auth);
});
afterAll(() => auth.stop());

/** A code, with what its client kept for it. */
async function obtain(client = web, browser = createBrowser(auth.origin)) {
  const { parameters, checks } = await newAuthorization();
  const url = openid.buildAuthorizationUrl(client, parameters);
  const { url: answer } = await goThrough(browser, url, person);
  return { answer, checks, code: answer.searchParams.get("code") ?? "" };
}

type Form = Record<string, string | undefined>;

/** The token request as a program of the attacker's would send it. */
async function redeem(form: Form, credentials: [string, string] | "none" = ["web", clientSecret]) {
  const given = Object.entries(form).filter(([, value]) => value !== undefined);
  const post = request(auth.origin).post("/auth/token").type("form");
  if (credentials !== "none") post.auth(...credentials);
  const { status, body } = await post.send(
    Object.fromEntries([
      ["grant_type", "authorization_code"],
      ["redirect_uri", callback],
      ...given,
    ]),
  );
  return { status, error: body.error as string | undefined, token: body.access_token as string };
}

const statusOf = (accessToken: string) =>
  request(auth.origin)
    .get("/auth/users/me")
    .set("Authorization", `Bearer ${accessToken}`)
    .then(({ status }) => status);

describe("a code", () => {
  test("works once; its second use is refused, and ends what the first one got within a second", async () => {
    const { code, checks } = await obtain();
    const form = { code, code_verifier: checks.pkceCodeVerifier };
    const first = await redeem(form);
    expect([first.status, await statusOf(first.token)]).toEqual([200, 200]);
    expect(await redeem(form)).toMatchObject({ status: 400, error: "invalid_grant" });
    await vi.waitFor(async () => expect(await statusOf(first.token)).toBe(401), 1_000);
  });

  test("ends what was got with it also when it is used again by somebody who lacks the verifier", async () => {
    const { code, checks } = await obtain();
    const first = await redeem({ code, code_verifier: checks.pkceCodeVerifier });
    expect(first.status).toBe(200);
    expect((await redeem({ code, code_verifier: "a".repeat(43) })).error).toBe("invalid_grant");
  });

  test("of another client is worth nothing, whoever that is, and stays good for its own", async () => {
    const { code, checks } = await obtain();
    const form = { code, code_verifier: checks.pkceCodeVerifier };
    expect(await redeem(form, ["other", clientSecret])).toMatchObject({ error: "invalid_grant" });
    const asApp = await redeem({ ...form, client_id: "app" }, "none");
    expect(asApp).toMatchObject({ status: 400, error: "invalid_grant" });
    expect((await redeem(form, ["web", "not the secret"])).status).toBe(401);
    expect((await redeem({ ...form, client_id: "web" }, "none")).status).toBe(401);
    expect((await redeem(form)).status).toBe(200);
  });

  test("of a public client is worth nothing to another public one", async () => {
    await registerClient(auth, { client_id: "another-app", token_endpoint_auth_method: "none" });
    const { code, checks } = await obtain(app);
    const form = { code, code_verifier: checks.pkceCodeVerifier };
    expect(await redeem({ ...form, client_id: "another-app" }, "none")).toMatchObject({
      error: "invalid_grant",
    });
    expect((await redeem({ ...form, client_id: "app" }, "none")).status).toBe(200);
  });

  test("is good for a minute", async () => {
    const endsIn = (code: string, seconds: number) =>
      auth.mongo
        .collection("authorizationCodes")
        .updateMany({}, { $set: { "payload.exp": Math.floor(Date.now() / 1000) + seconds } })
        .then(() => code);
    const kept = async () => (await auth.mongo.collection("authorizationCodes").findOne())?.payload;
    const late = await obtain();
    const { iat, exp } = await kept();
    expect(exp - iat).toBe(60);
    await endsIn(late.code, -1);
    const expired = await redeem({ code: late.code, code_verifier: late.checks.pkceCodeVerifier });
    expect(expired).toMatchObject({ status: 400, error: "invalid_grant" });

    const timely = await obtain();
    await endsIn(timely.code, 30);
    const form = { code: timely.code, code_verifier: timely.checks.pkceCodeVerifier };
    expect((await redeem(form)).status).toBe(200);
  });

  test("is bound to the redirect URI that it was sent to", async () => {
    const { code, checks } = await obtain();
    const form = { code, code_verifier: checks.pkceCodeVerifier };
    for (const redirect_uri of ["https://evil.example/", `${callback}?x=1`, `${callback}/`, "x"]) {
      expect((await redeem({ ...form, redirect_uri })).status).toBe(400);
    }
    expect((await redeem(form)).status).toBe(200);
  });

  test("that was stolen is worth nothing in the thief's own sign-in (code injection)", async () => {
    const victim = await obtain();
    const thief = await obtain();
    const injected = new URL(thief.answer);
    injected.searchParams.set("code", victim.code);
    const asThief = openid.authorizationCodeGrant(web, injected, thief.checks);
    expect(await refusalOf(asThief)).toBe("invalid_grant");
    const own = openid.authorizationCodeGrant(web, thief.answer, thief.checks);
    expect(await refusalOf(own)).toBe("accepted");
  });

  test("is not guessed: what is nearly one is none", async () => {
    const { code, checks } = await obtain();
    const last = code.endsWith("A") ? "B" : "A";
    for (const guess of [`${code.slice(0, -1)}${last}`, code.toLowerCase(), `${code} `, "", "x"]) {
      expect((await redeem({ code: guess, code_verifier: checks.pkceCodeVerifier })).status).toBe(
        400,
      );
    }
    expect((await redeem({ code, code_verifier: checks.pkceCodeVerifier })).status).toBe(200);
  });

  test("that stands twice in a request, or in the query, is refused", async () => {
    const { code, checks } = await obtain();
    const verifier = checks.pkceCodeVerifier ?? "";
    const good = new URLSearchParams({
      grant_type: "authorization_code",
      redirect_uri: callback,
      code,
      code_verifier: verifier,
    });
    const send = (body: string, query = "") =>
      request(auth.origin)
        .post(`/auth/token${query}`)
        .auth("web", clientSecret)
        .type("form")
        .send(body)
        .then(({ status }) => status);
    expect(await send(`${good}&code=${code}`)).toBe(400);
    good.delete("code");
    expect(await send(String(good), `?code=${code}`)).toBe(400);
    good.set("code", code);
    expect(await send(String(good))).toBe(200);
  });
});

describe("PKCE (RFC 7636, RFC 9700 section 4.8.2)", () => {
  const errorAt = async (changes: Record<string, string>, client = web) => {
    const { parameters } = await newAuthorization(changes);
    const visit = await createBrowser(auth.origin).open(
      openid.buildAuthorizationUrl(client, parameters),
    );
    return (
      visit.url.searchParams.get("error") ?? (visit.body.includes("Sign in") ? "none" : "page")
    );
  };

  test.each<[string, Record<string, string>]>([
    ["no challenge", { code_challenge: "", code_challenge_method: "" }],
    ["no challenge but a method", { code_challenge: "" }],
    ["a challenge without a method, which means plain", { code_challenge_method: "" }],
    ["plain", { code_challenge_method: "plain" }],
    ["an unknown method", { code_challenge_method: "S512" }],
    ["a challenge that is too short", { code_challenge: "short" }],
    ["a challenge of wrong characters", { code_challenge: "*".repeat(43) }],
  ])(
    "an authorization request with %s > is refused, for every kind of client",
    async (_what, changes) => {
      expect(await errorAt(changes)).toBe("invalid_request");
      expect(await errorAt(changes, app)).toBe("invalid_request");
      expect(await errorAt({})).toBe("none");
      expect(await errorAt({}, app)).toBe("none");
    },
  );

  test.each<[string, (verifier: string, challenge: string) => string | undefined]>([
    ["no verifier", () => undefined],
    ["an empty one", () => ""],
    ["another one", () => openid.randomPKCECodeVerifier()],
    ["the challenge itself, as if it were plain", (_verifier, challenge) => challenge],
    ["one that is longer", (verifier) => `${verifier}a`],
    ["one in capitals", (verifier) => verifier.toUpperCase()],
    ["one that is too short", (verifier) => verifier.slice(0, 42)],
  ])(
    "a token request with %s > is refused, and the code's own verifier still does",
    async (_what, change) => {
      const { code, checks } = await obtain();
      const verifier = checks.pkceCodeVerifier ?? "";
      const challenge = await openid.calculatePKCECodeChallenge(verifier);
      const refused = await redeem({ code, code_verifier: change(verifier, challenge) });
      expect([refused.status, refused.token]).toEqual([400, undefined]);
      expect((await redeem({ code, code_verifier: verifier })).status).toBe(200);
    },
  );
});

test("the implicit and password grants > are not there", async () => {
  for (const response_type of ["token", "id_token", "id_token token", "code id_token", "none"]) {
    const { parameters } = await newAuthorization();
    const url = openid.buildAuthorizationUrl(web, { ...parameters, response_type });
    const { url: answer, body } = await createBrowser(auth.origin).open(url);
    const error = new URLSearchParams(answer.hash.slice(1)).get("error");
    expect(error ?? answer.searchParams.get("error") ?? body).toMatch(
      /unsupported_response_type|invalid_request/,
    );
    expect(answer.href).not.toMatch(/access_token|id_token=/);
  }
  const { error } = await redeem({
    grant_type: "password",
    username: person.email,
    password: person.password,
  });
  expect(error).toMatch(/unsupported_grant_type|invalid_request/);
});

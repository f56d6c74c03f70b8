import { createBrowser } from "@portico/dev-env";
import * as openid from "openid-client";
import request from "supertest";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import {
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
let pushOnly: openid.Configuration;
let person: Person;

beforeAll(async () => {
  auth = await startAuth(inject("stores"));
  web = await registerClient(auth, { client_id: "web" });
  pushOnly = await registerClient(auth, {
    client_id: "push-only",
    require_pushed_authorization_requests: true,
  });
  person = await addMember(auth);
});
afterAll(() => auth.stop());

const errorAt = async (url: URL) => {
  const visit = await createBrowser(auth.origin).open(url);
  return visit.url.searchParams.get("error") ?? visit.body;
};

test("a pushed request > is all that the browser needs to carry, and gives tokens", async () => {
  const { parameters, checks } = await newAuthorization();
  const url = await openid.buildAuthorizationUrlWithPAR(web, parameters);
  expect([...url.searchParams.keys()].sort()).toEqual(["client_id", "request_uri"]);
  const { url: answer } = await goThrough(createBrowser(auth.origin), url, person);
  const tokens = await openid.authorizationCodeGrant(web, answer, checks);
  expect(tokens.claims()).toMatchObject({ aud: "web", nonce: checks.expectedNonce });
});

test("a pushed request > counts once, whatever the browser adds to it", async () => {
  const { parameters } = await newAuthorization({ scope: "openid" });
  const url = await openid.buildAuthorizationUrlWithPAR(web, parameters);
  url.searchParams.set("redirect_uri", "https://evil.example/");
  url.searchParams.set("scope", "openid patients:read");
  const browser = createBrowser(auth.origin);
  const { url: answer } = await goThrough(browser, url, person);
  expect(answer.origin).toBe("https://client.example");
  expect(answer.searchParams.get("code")).toBeTruthy();
  url.searchParams.delete("redirect_uri");
  const again = await browser.open(url);
  expect(again.url.searchParams.get("error")).toBe("invalid_request_uri");
});

test("a pushed request > is its client's alone", async () => {
  const { parameters } = await newAuthorization();
  const url = await openid.buildAuthorizationUrlWithPAR(web, parameters);
  url.searchParams.set("client_id", "push-only");
  expect(await errorAt(url)).toBe("invalid_request_object");
});

test("a pushed request > ends after a minute", async () => {
  const { parameters } = await newAuthorization();
  const url = await openid.buildAuthorizationUrlWithPAR(web, parameters);
  await auth.mongo
    .collection("pushedRequests")
    .updateMany({}, { $set: { "payload.exp": Math.floor(Date.now() / 1000) - 1 } });
  expect(await errorAt(url)).toBe("invalid_request_uri");
});

test("a client that must push > is refused what it did not push", async () => {
  const { parameters } = await newAuthorization();
  const plain = openid.buildAuthorizationUrl(pushOnly, parameters);
  expect(await errorAt(plain)).toBe("invalid_request");
  const pushed = await openid.buildAuthorizationUrlWithPAR(pushOnly, parameters);
  expect(await errorAt(pushed)).toContain("Sign in");
});

test("a request > is pushed by nobody without the client's secret", async () => {
  const push = (secret: string) =>
    request(auth.origin).post("/auth/par").auth("web", secret).type("form");
  const { parameters } = await newAuthorization();
  const form = { ...parameters, client_id: "web", response_type: "code" };
  await push(clientSecret).send(form).expect(201);
  const { body } = await push("not the secret").send(form).expect(401);
  expect(body.error).toBe("invalid_client");
});

test.each<[string, Record<string, string>, string]>([
  ["no PKCE", { code_challenge: "", code_challenge_method: "" }, "invalid_request"],
  ["another redirect URI", { redirect_uri: "https://evil.example/" }, "invalid_request"],
  ["another resource", { resource: "https://other.example" }, "invalid_target"],
  ["a scope that there is not", { scope: "openid nonsense:read" }, "accepted"],
])("what is wrong > is said when it is pushed: %s", async (_what, changes, error) => {
  const { parameters } = await newAuthorization(changes);
  expect(await refusalOf(openid.buildAuthorizationUrlWithPAR(web, parameters))).toBe(error);
});

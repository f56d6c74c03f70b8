import { createBrowser } from "@portico/dev-env";
import * as openid from "openid-client";
import request from "supertest";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { goThrough, newAuthorization, registerClient } from "../testing/oauth-client.ts";
import { addMember } from "../testing/people.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
let web: openid.Configuration;

beforeAll(async () => {
  auth = await startAuth(inject("stores"));
  web = await registerClient(auth, { client_id: "web" });
});
afterAll(() => auth.stop());

/** As another site's page does. */
const post = (path: string, fields: URLSearchParams | Record<string, string>) =>
  request(auth.origin)
    .post(path)
    .set("Sec-Fetch-Site", "cross-site")
    .type("form")
    .send(String(new URLSearchParams(fields)))
    .redirects(0);

test("an authorization request that is posted > signs in as one by a link does", async () => {
  const { parameters, checks } = await newAuthorization();
  const { searchParams } = openid.buildAuthorizationUrl(web, parameters);
  const { status, headers } = await post("/auth/authorize", searchParams);
  expect(status).toBe(303);
  const person = await addMember(auth);
  const browser = createBrowser(auth.origin);
  const { url } = await goThrough(browser, new URL(headers.location ?? "", auth.origin), person);
  expect((await openid.authorizationCodeGrant(web, url, checks)).access_token).toBeTruthy();
});

test("a sign-out that is posted > asks the person, as one by a link does", async () => {
  const { status, headers } = await post("/auth/session/end", { client_id: "web" });
  expect([status, headers.location]).toEqual([303, "/auth/session/end?client_id=web"]);
});

test("what is posted > leads nowhere but there, and is not too long", async () => {
  const fields = { a: "https://evil.example/\r\nSet-Cookie: x=y" };
  const { headers } = await post("/auth/authorize", fields);
  expect(new URL(headers.location ?? "", auth.origin).origin).toBe(auth.origin);
  expect(headers["set-cookie"]).toBeUndefined();
  expect((await post("/auth/authorize", { a: "x".repeat(20_000) })).status).toBe(413);
});

test("anything but a form > is refused (405)", async () => {
  const json = await request(auth.origin).post("/auth/authorize").send({ client_id: "web" });
  expect([json.status, json.headers.allow]).toEqual([405, "GET, HEAD"]);
});

import request from "supertest";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { addMember } from "../testing/people.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

const origin = "https://portico.example";

let auth: TestAuth;
beforeAll(async () => {
  auth = await startAuth(inject("stores"), { ISSUER: `${origin}/auth`, PUBLIC_ORIGIN: origin });
});
afterAll(() => auth.stop());

/** As a browser behind TLS: it keeps `Secure` cookies, which a test's own request cannot tell. */
const pairsOf = (cookies: readonly string[]): string =>
  cookies.map((cookie) => cookie.split(";")[0]).join("; ");

test("behind TLS > every cookie is Secure, HttpOnly and SameSite, and the session's is of this host alone", async () => {
  const person = await addMember(auth);
  const authorize = await request(auth.origin).get("/auth/account").expect(303);
  const begun = await request(auth.origin)
    .get(new URL(authorize.headers.location ?? "").pathname)
    .query(Object.fromEntries(new URL(authorize.headers.location ?? "").searchParams))
    .expect(303);
  const cookies = begun.get("Set-Cookie") ?? [];
  const path = String(begun.headers.location);
  const page = await request(auth.origin).get(path).set("Cookie", pairsOf(cookies)).expect(200);
  const [, form_token] = /form_token" value="([^"]+)"/.exec(page.text) ?? [];
  const signedIn = await request(auth.origin)
    .post(path)
    .set("Cookie", pairsOf(cookies))
    .type("form")
    .send({ ...person, form_token })
    .expect(303);
  const resumed = await request(auth.origin)
    .get(new URL(signedIn.headers.location ?? "").pathname)
    .set("Cookie", pairsOf(cookies));
  const all = [...cookies, ...(resumed.get("Set-Cookie") ?? [])];
  for (const cookie of all) {
    expect(cookie).toMatch(/^__(?:Host|Secure)-/);
    expect(cookie).toMatch(/; secure/i);
    expect(cookie).toMatch(/; httponly/i);
    expect(cookie).toMatch(/; samesite=lax/i);
    expect(cookie).not.toMatch(/; domain=/i);
  }
  const session = all.find((cookie) => cookie.startsWith("__Host-portico-auth="));
  expect(session).toMatch(/; path=\/;/i);
});

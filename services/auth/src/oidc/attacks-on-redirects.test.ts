/** Attacks by redirects (RFC 9700 sections 4.1, 4.4, 4.11 and 4.12): each beside what a client does rightly. */
import { createBrowser } from "@portico/dev-env";
import * as openid from "openid-client";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import {
  callback,
  getTokens,
  goThrough,
  newAuthorization,
  registerClient,
} from "../testing/oauth-client.ts";
import type { Person } from "../testing/people.ts";
import { addMember } from "../testing/people.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
let web: openid.Configuration;
let native: openid.Configuration;
let person: Person;
const afterSignOut = "https://client.example/signed-out";

beforeAll(async () => {
  auth = await startAuth(inject("stores"));
  web = await registerClient(auth, {
    client_id: "web",
    redirect_uris: [callback, "https://client.example/second"],
    post_logout_redirect_uris: [afterSignOut],
  });
  native = await registerClient(auth, {
    client_id: "native",
    application_type: "native",
    token_endpoint_auth_method: "none",
    redirect_uris: ["http://127.0.0.1/callback", "com.example.app:/callback"],
    post_logout_redirect_uris: ["com.example.app:/signed-out"],
  });
  await registerClient(auth, {
    client_id: "other",
    redirect_uris: ["https://other.example/callback"],
    post_logout_redirect_uris: ["https://other.example/"],
  });
  person = await addMember(auth);
});
afterAll(() => auth.stop());

/** What the browser is answered, without going where it is sent. */
async function answerTo(client: openid.Configuration, changes: Record<string, string>, more = "") {
  const { parameters } = await newAuthorization(changes);
  const url = `${openid.buildAuthorizationUrl(client, parameters)}${more}`;
  const { status, headers, text } = await request(auth.origin)
    .get(url.slice(auth.origin.length))
    .set("Accept", "text/html")
    .redirects(0);
  return { status, location: headers.location as string | undefined, text };
}

const isPage = ({ status, location, text }: Awaited<ReturnType<typeof answerTo>>) => {
  expect([status, location]).toEqual([400, undefined]);
  expect(text).toContain("This did not work");
};
const leadsToSignIn = ({ status, location }: Awaited<ReturnType<typeof answerTo>>) => {
  expect(status).toBe(303);
  expect(location).toContain("/auth/interaction/");
};

describe("a web client's redirect URI", () => {
  test.each([
    ["another host", "https://evil.example/callback"],
    ["a longer host", "https://client.example.evil.example/callback"],
    ["a subdomain", "https://sub.client.example/callback"],
    ["the host as a user", "https://client.example@evil.example/callback"],
    ["a user", "https://user@client.example/callback"],
    ["a query", `${callback}?next=https://evil.example`],
    ["a fragment", `${callback}#fragment`],
    ["an empty fragment", `${callback}#`],
    ["a longer path", `${callback}/more`],
    ["a trailing slash", `${callback}/`],
    ["a path that begins so", `${callback}x`],
    ["the path in capitals", "https://client.example/CALLBACK"],
    ["the host in capitals", "https://CLIENT.example/callback"],
    ["dots", "https://client.example/other/../callback"],
    ["encoded dots", "https://client.example/%2e%2e/callback"],
    ["an encoded letter", "https://client.example/%63allback"],
    ["an encoded slash", "https://client.example%2fcallback"],
    ["a backslash", "https://client.example\\@evil.example/callback"],
    ["a backslash for a slash", "https:\\\\client.example\\callback"],
    ["letters that look alike", "https://сlient.example/callback"],
    ["its punycode", "https://xn--lient-zye.example/callback"],
    ["a port", "https://client.example:444/callback"],
    ["the default port", "https://client.example:443/callback"],
    ["plain http", "http://client.example/callback"],
    ["no scheme", "//client.example/callback"],
    ["a path alone", "/callback"],
    ["a script", "javascript:alert(1)//https://client.example/callback"],
    ["data", "data:text/html,https://client.example/callback"],
    ["a space", "https://client.example/callback "],
    ["a line break", "https://client.example/callback\r\nLocation: https://evil.example"],
    ["a zero byte", "https://client.example/callback\0"],
    ["a wildcard", "https://client.example/*"],
    ["another client's", "https://other.example/callback"],
    ["auth's own", "http://127.0.0.1/auth/session/end"],
    ["two in one", `${callback} https://evil.example/`],
  ])("with %s > is refused on a page, and nobody is sent anywhere", async (_what, redirect_uri) => {
    isPage(await answerTo(web, { redirect_uri }));
    isPage(await answerTo(web, { redirect_uri, prompt: "none" }));
    isPage(await answerTo(web, { redirect_uri, response_type: "token" }));
    leadsToSignIn(await answerTo(web, {}));
  });

  test("given twice > is refused, whichever comes first", async () => {
    const evil = `&redirect_uri=${encodeURIComponent("https://evil.example/")}`;
    isPage(await answerTo(web, {}, evil));
    isPage(
      await answerTo(web, { redirect_uri: "https://evil.example/" }, `&redirect_uri=${callback}`),
    );
    leadsToSignIn(await answerTo(web, {}));
  });

  test("left out > is refused: a client with two must say which", async () => {
    isPage(await answerTo(web, { redirect_uri: "" }));
    leadsToSignIn(await answerTo(web, { redirect_uri: "https://client.example/second" }));
  });

  test("of an unknown client > goes nowhere", async () => {
    const { parameters } = await newAuthorization({ client_id: "nobody" });
    const url = openid.buildAuthorizationUrl(web, parameters);
    const { status, body } = await createBrowser(auth.origin).open(url);
    expect([status, body]).toEqual([400, expect.stringContaining("This did not work")]);
  });
});

describe("a native client's redirect URI (RFC 8252)", () => {
  test.each([
    ["any loopback port", "http://127.0.0.1:51004/callback"],
    ["no port", "http://127.0.0.1/callback"],
    ["its own scheme", "com.example.app:/callback"],
  ])("with %s > is good", async (_what, redirect_uri) => {
    leadsToSignIn(await answerTo(native, { redirect_uri }));
  });

  test.each([
    ["another loopback address", "http://127.0.0.2:51004/callback"],
    ["a loopback name", "http://localhost:51004/callback"],
    ["the IPv6 loopback", "http://[::1]:51004/callback"],
    ["another path", "http://127.0.0.1:51004/other"],
    ["a longer path", "http://127.0.0.1:51004/callback/more"],
    ["a query", "http://127.0.0.1:51004/callback?x=1"],
    ["https", "https://127.0.0.1:51004/callback"],
    ["the address as a user", "http://127.0.0.1:51004@evil.example/callback"],
    ["a user", "http://user@127.0.0.1:51004/callback"],
    ["the address as a subdomain", "http://127.0.0.1.evil.example/callback"],
    ["the address in decimal", "http://2130706433/callback"],
    ["the address in octal", "http://0177.0.0.1/callback"],
    ["a port that is none", "http://127.0.0.1:port/callback"],
    ["a port that is too large", "http://127.0.0.1:99999/callback"],
    ["a scheme that begins so", "com.example.app.evil:/callback"],
    ["its scheme with a host", "com.example.app://evil.example/callback"],
    ["its scheme with another path", "com.example.app:/callback/../other"],
  ])("with %s > is refused on a page", async (_what, redirect_uri) => {
    isPage(await answerTo(native, { redirect_uri }));
  });
});

describe("an answer to a client (RFC 9207)", () => {
  test("says who gives it and repeats the state, when it is a code and when it is an error", async () => {
    const { parameters, checks } = await newAuthorization();
    const browser = createBrowser(auth.origin);
    const url = openid.buildAuthorizationUrl(web, parameters);
    const { url: answer } = await goThrough(browser, url, person);
    const expected = { iss: `${auth.origin}/auth`, state: checks.expectedState };
    expect(Object.fromEntries(answer.searchParams)).toEqual({
      ...expected,
      code: expect.any(String),
    });

    const wrong = await newAuthorization({ scope: "openid", prompt: "none", max_age: "1" });
    const stranger = createBrowser(auth.origin);
    const refused = await stranger.open(openid.buildAuthorizationUrl(web, wrong.parameters));
    expect(Object.fromEntries(refused.url.searchParams)).toMatchObject({
      iss: expected.iss,
      state: wrong.checks.expectedState,
      error: "login_required",
    });
  });

  test("that another issuer gives, or that lost its issuer, state or nonce > an unmodified client refuses", async () => {
    const obtain = async () => {
      const { parameters, checks } = await newAuthorization();
      const url = openid.buildAuthorizationUrl(web, parameters);
      const { url: answer } = await goThrough(createBrowser(auth.origin), url, person);
      return { answer, checks };
    };
    const use = async (change: (answer: URL) => void, checks = {}) => {
      const obtained = await obtain();
      change(obtained.answer);
      return openid.authorizationCodeGrant(web, obtained.answer, { ...obtained.checks, ...checks });
    };
    const mixUps = [
      (answer: URL) => answer.searchParams.set("iss", "https://evil.example"),
      (answer: URL) => answer.searchParams.delete("iss"),
      (answer: URL) => answer.searchParams.set("state", "another"),
      (answer: URL) => answer.searchParams.delete("state"),
    ];
    for (const mixUp of mixUps) await expect(use(mixUp)).rejects.toThrow();
    await expect(use(() => undefined, { expectedNonce: "another" })).rejects.toThrow();
    expect((await use(() => undefined)).access_token).toBeTruthy();
  });
});

describe("a person's password", () => {
  test("is posted on nowhere: the answer to a sign-in makes a browser get, not post again (RFC 9700 section 4.12)", async () => {
    const browser = createBrowser(auth.origin);
    const { parameters } = await newAuthorization();
    const page = await browser.open(openid.buildAuthorizationUrl(web, parameters));
    const fields = [...page.body.matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)];
    const { status, headers } = await request(auth.origin)
      .post(page.url.pathname)
      .set({
        Cookie: browser.cookies.map(({ name, value }) => `${name}=${value}`).join("; "),
        "Sec-Fetch-Site": "same-origin",
      })
      .type("form")
      .send({ ...Object.fromEntries(fields.map(([, name, value]) => [name, value])), ...person })
      .redirects(0);
    expect([status, headers.location]).toEqual([303, expect.stringContaining("/auth/authorize/")]);
    expect(headers["referrer-policy"]).toBe("no-referrer");
  });
});

describe("post_logout_redirect_uri", () => {
  const end = async (parameters: Record<string, string>, more = "") => {
    const query = `${new URLSearchParams(parameters)}${more}`;
    const { status, headers, text } = await request(auth.origin)
      .get(`/auth/session/end?${query}`)
      .set("Accept", "text/html")
      .redirects(0);
    return { status, location: headers.location as string | undefined, text };
  };

  test.each([
    ["another host", "https://evil.example/"],
    ["a longer path", `${afterSignOut}/more`],
    ["a query", `${afterSignOut}?next=https://evil.example`],
    ["a fragment", `${afterSignOut}#x`],
    ["the host as a user", "https://client.example@evil.example/signed-out"],
    ["a backslash", "https://client.example\\@evil.example/signed-out"],
    ["a script", "javascript:alert(1)"],
    ["a redirect URI of the same client", callback],
    ["another client's", "https://other.example/"],
  ])("with %s > is refused on a page", async (_what, post_logout_redirect_uri) => {
    isPage(await end({ client_id: "web", post_logout_redirect_uri }));
    const good = await end({ client_id: "web", post_logout_redirect_uri: afterSignOut });
    expect(good.status).toBe(200);
  });

  test("given twice, or by a hint of another client > is refused on a page", async () => {
    const parameters = { client_id: "web", post_logout_redirect_uri: afterSignOut };
    isPage(await end(parameters, "&post_logout_redirect_uri=https%3A%2F%2Fevil.example%2F"));
    const { tokens } = await getTokens(auth, web, person);
    const hint = { id_token_hint: tokens.id_token ?? "" };
    isPage(await end({ ...parameters, ...hint, client_id: "other" }));
    isPage(await end({ ...hint, post_logout_redirect_uri: "https://other.example/" }));
    expect((await end({ ...parameters, ...hint })).status).toBe(200);
  });

  test("by a hint that nobody signed > is refused on a page", async () => {
    const { tokens } = await getTokens(auth, web, person);
    const [header, , signature] = (tokens.id_token ?? "").split(".");
    const forged = Buffer.from(
      JSON.stringify({ iss: `${auth.origin}/auth`, aud: "web", sub: "x" }),
    );
    const id_token_hint = `${header}.${forged.toString("base64url")}.${signature}`;
    isPage(await end({ id_token_hint, post_logout_redirect_uri: afterSignOut }));
  });

  test("of a client that is not named > is followed by nobody", async () => {
    const browser = createBrowser(auth.origin);
    const { parameters } = await newAuthorization();
    await goThrough(browser, openid.buildAuthorizationUrl(web, parameters), person);
    const url = `/auth/session/end?post_logout_redirect_uri=${encodeURIComponent(afterSignOut)}`;
    const done = await browser.submit(await browser.open(url), { logout: "yes" });
    expect(done.url.origin).toBe(auth.origin);
    expect(done.body).toContain("Signed out");
  });

  test("of a native client > is exact too", async () => {
    const good = "com.example.app:/signed-out";
    expect((await end({ client_id: "native", post_logout_redirect_uri: good })).status).toBe(200);
    for (const uri of ["com.example.app:/other", "com.example.app.evil:/signed-out"]) {
      isPage(await end({ client_id: "native", post_logout_redirect_uri: uri }));
    }
  });
});

test("signing a person out from another site > takes their own press of a button", async () => {
  const browser = createBrowser(auth.origin);
  const { parameters } = await newAuthorization();
  await goThrough(browser, openid.buildAuthorizationUrl(web, parameters), person);
  await browser.open("/auth/session/end");
  const cookie = browser.cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
  const forged = await request(auth.origin)
    .post("/auth/session/end/confirm")
    .set("Cookie", cookie)
    .type("form")
    .send({ xsrf: "guessed", logout: "yes" });
  expect(forged.status).toBe(400);
  const page = await browser.open("/auth/session/end");
  expect(page.body).toContain("Sign out?");
});

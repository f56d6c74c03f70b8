import { type Browser, createBrowser, type Visit } from "@portico/dev-env";
import { createTokenVerifier } from "@portico/service-kit";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { createKeyRing } from "../key-ring/key-ring.ts";
import { addMember, type Person, setRoles, signIn } from "../testing/people.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";
import { hashSessionId } from "./browser-session.ts";
import { type BrowserSessionStore, createBrowserSessionStore } from "./browser-session-store.ts";
import { createOwnClient, type OwnClient } from "./own-client.ts";
import { renewTokensWith } from "./renew-tokens.ts";

let auth: TestAuth;
let person: Person;
let store: BrowserSessionStore;
let clientAt: (now: () => Date, internalOrigin?: string) => OwnClient;
beforeAll(async () => {
  auth = await startAuth(inject("stores"));
  person = await addMember(auth);
  const keyRing = createKeyRing(auth.config.keyEncryptionKey);
  store = createBrowserSessionStore(auth.mongo, keyRing);
  const secret = keyRing.derive("own-client")[0]?.toString("base64url") ?? "";
  clientAt = (now, internalOrigin = auth.origin) =>
    createOwnClient({ ...auth.config, internalOrigin }, secret, () => now().getTime());
});
afterAll(() => auth.stop());

const session = "__Host-portico-session";
const access = "__Host-portico-access";
const path = "/auth/browser-session";
const start = `${path}/start?return_to=/inbox`;

const cookieOf = (browser: Browser, name: string) =>
  browser.cookies.find((cookie) => cookie.name === name)?.value;
const idOf = (browser: Browser): string => cookieOf(browser, session) ?? "";

/** Signs in as people do; the app's page at the end is not ours to serve. */
async function signInAt(browser: Browser, who = person): Promise<Visit> {
  const page = await browser.open(start);
  expect(page.body).toContain("Sign in");
  return browser.submit(page, who);
}

async function signedIn(who = person): Promise<Browser> {
  const browser = createBrowser(auth.origin);
  await signInAt(browser, who);
  expect(idOf(browser)).toMatch(/^[\w-]{43}$/);
  return browser;
}

const who = async (browser: Browser) => {
  const response = await browser.fetch(path);
  return response.status === 200
    ? ((await response.json()) as { account: { email: string }; expiresAt: string })
    : response.status;
};
const me = async (browser: Browser) => (await browser.fetch("/auth/users/me")).status;
const refresh = (browser: Browser, headers = {}) =>
  browser.fetch(`${path}/refresh`, { method: "POST", headers });
const signOut = (browser: Browser, headers = {}) =>
  browser.fetch(path, { method: "DELETE", headers });

/** The answer at the callback, not followed. */
async function answerOf(browser: Browser): Promise<URL> {
  const stranger = createBrowser(auth.origin);
  const begun = await browser.fetch(start);
  const page = await browser.open(begun.headers.get("location") ?? "");
  stranger.cookies.push(...browser.cookies.filter(({ name }) => !name.includes("start")));
  const back = await stranger.submit(page, person);
  return back.url;
}

describe("signing in", () => {
  test("takes the browser back to its app with two cookies that no script reads", async () => {
    const browser = createBrowser(auth.origin);
    const page = await browser.open(start);
    const action = /action="([^"]+)"/.exec(page.body)?.[1] ?? "";
    expect(new URL(action, page.url).origin).toBe(auth.origin);
    const back = await browser.submit(page, person);
    expect(back.url.href).toBe(`${auth.origin}/inbox`);
    expect(back.url.search + back.url.hash).toBe("");

    const renewed = await createBrowser(auth.origin).fetch(`${path}/refresh`, {
      method: "POST",
      headers: { cookie: `${session}=${idOf(browser)}` },
    });
    const line = renewed.headers.getSetCookie().find((one) => one.startsWith(access)) ?? "";
    expect(line.split("; ").slice(1, 5)).toEqual([
      "Path=/",
      "HttpOnly",
      "Secure",
      "SameSite=Strict",
    ]);
    expect(line).toMatch(/; Max-Age=(59\d|600)$/);
  });

  test("says who is signed in, and until when", async () => {
    const browser = await signedIn();
    expect(await who(browser)).toMatchObject({ account: { email: person.email } });
    const reply = (await who(browser)) as { expiresAt: string };
    const days = (Date.parse(reply.expiresAt) - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(14);
    expect(await who(createBrowser(auth.origin))).toBe(401);
  });

  test("lets requests in by the cookie alone", async () => {
    const browser = await signedIn();
    expect(await me(browser)).toBe(200);
    expect(await me(createBrowser(auth.origin))).toBe(401);
  });

  test("asks no password the second time, and gives the browser another session", async () => {
    const browser = await signedIn();
    const before = idOf(browser);
    await browser.open(start);
    expect(idOf(browser)).not.toBe(before);
    expect(await me(browser)).toBe(200);
    expect(await store.find(before, new Date())).toBeUndefined();
  });

  test("gives whoever prepared the browser nothing: the session's id is chosen here (fixation)", async () => {
    const browser = createBrowser(auth.origin);
    const chosen = "x".repeat(43);
    browser.cookies.push({ name: session, value: chosen, path: "/" });
    await signInAt(browser);
    expect(idOf(browser)).not.toBe(chosen);
    const attacker = createBrowser(auth.origin);
    attacker.cookies.push({ name: session, value: chosen, path: "/" });
    expect(await who(attacker)).toBe(401);
    expect((await refresh(attacker)).status).toBe(401);
    expect(await who(browser)).toMatchObject({ account: { email: person.email } });
  });

  test("of somebody else ends what the browser had before", async () => {
    const other = await addMember(auth);
    const browser = await signedIn();
    const [before, token] = [idOf(browser), cookieOf(browser, access)];
    const page = await browser.open(`${start}&max_age=0`);
    // The protocol library first ends the session of whoever was there, by a form of its own.
    await browser.submit(await browser.submit(page, other));
    expect(await who(browser)).toMatchObject({ account: { email: other.email } });
    expect(await store.find(before, new Date())).toBeUndefined();
    const earlier = await request(auth.origin)
      .get("/auth/users/me")
      .set("Authorization", `Bearer ${token}`);
    expect(earlier.status).toBe(401);
  });

  test("two tabs may begin at the same time", async () => {
    const browser = createBrowser(auth.origin);
    const [one, two] = [await browser.open(start), await browser.open(start)];
    expect((await browser.submit(one, person)).url.pathname).toBe("/inbox");
    expect((await browser.open(two.url)).url.pathname).not.toContain("error");
    expect(await me(browser)).toBe(200);
  });

  test("that the person cancels leads back without a session", async () => {
    const browser = createBrowser(auth.origin);
    const back = await browser.submit(await browser.open(start), { cancel: "yes" });
    expect(back.url.href).toBe(`${auth.origin}/inbox`);
    expect(idOf(browser)).toBe("");
  });

  test("goes on to a frontend of another origin from a page of ours, since no form may lead there", async () => {
    const browser = createBrowser(auth.origin);
    const page = await browser.open(`${path}/start`);
    expect(page.headers.get("content-security-policy")).toContain(`form-action 'self'`);
    const arrived = await browser.submit(page, person);
    expect([arrived.status, arrived.url.pathname]).toEqual([200, `${path}/callback`]);
    expect(arrived.headers.get("refresh")).toBe("0; url=https://app.example");
    expect(arrived.body).toContain('href="https://app.example"');
    expect(await me(browser)).toBe(200);
  });

  test("again, when an app says how recent it must be", async () => {
    const browser = await signedIn();
    const page = await browser.open(`${start}&max_age=0`);
    expect(page.body).toContain('type="password"');
    const refused = await browser.fetch(`${path}/start?max_age=-1`);
    expect(refused.status).toBe(400);
  });

  test.each(["https://evil.example/", "//evil.example", "/\\evil.example", path])(
    "leads to no other site: %s (400)",
    async (target) => {
      const browser = createBrowser(auth.origin);
      const refused = await browser.fetch(`${path}/start?return_to=${encodeURIComponent(target)}`);
      expect([refused.status, refused.headers.get("location")]).toEqual([400, null]);
      const allowed = await browser.fetch(`${path}/start?return_to=%2Finbox`);
      expect(allowed.status).toBe(303);
    },
  );
});

describe("the callback", () => {
  test("believes no answer that another browser asked for (login CSRF)", async () => {
    const attacker = createBrowser(auth.origin);
    const answer = await answerOf(attacker);
    expect(answer.pathname).toBe(`${path}/callback`);
    const victim = createBrowser(auth.origin);
    await victim.fetch(start);
    for (const browser of [victim, createBrowser(auth.origin)]) {
      const page = await browser.open(answer);
      expect([page.status, page.url.pathname]).toEqual([400, `${path}/callback`]);
      expect(idOf(browser)).toBe("");
    }
    expect((await attacker.open(answer)).url.pathname).toBe("/inbox");
    expect(await me(attacker)).toBe(200);
  });

  test("believes no answer of another issuer, and no changed one", async () => {
    const change: [string, string][] = [
      ["iss", "https://evil.example"],
      ["iss", ""],
      ["code", "x".repeat(43)],
      ["state", "x".repeat(43)],
      ["state", ""],
    ];
    for (const [name, value] of change) {
      const browser = createBrowser(auth.origin);
      const answer = await answerOf(browser);
      if (value) answer.searchParams.set(name, value);
      else answer.searchParams.delete(name);
      expect((await browser.open(answer)).status, `${name}=${value}`).toBe(400);
      expect(idOf(browser)).toBe("");
    }
  });

  test("uses a code once", async () => {
    const browser = createBrowser(auth.origin);
    const answer = await answerOf(browser);
    await browser.open(answer);
    const first = idOf(browser);
    expect(first).not.toBe("");
    const page = await browser.open(answer);
    expect(page.status).toBe(400);
    expect(idOf(browser)).toBe(first);
    const wayOn = /class="button" href="([^"]+)"/.exec(page.body)?.[1]?.replaceAll("&amp;", "&");
    const again = await browser.submit(await browser.open(wayOn ?? ""), person);
    expect(again.url.pathname).toBe("/inbox");
    expect(await me(browser)).toBe(200);
  });
});

describe("what is kept", () => {
  test("opens nothing for whoever reads the database", async () => {
    const browser = await signedIn();
    const found = await store.find(idOf(browser), new Date());
    const kept = JSON.stringify([
      await auth.mongo.collection("browserSessions").find().toArray(),
      auth.logged(),
    ]);
    expect(kept).toContain(hashSessionId(idOf(browser)));
    const secrets = [idOf(browser), found?.tokens.accessToken, found?.tokens.refreshToken];
    for (const secret of secrets) {
      expect(secret).toBeTruthy();
      expect(kept).not.toContain(secret);
    }
  });

  test("of one session opens no other: sealed tokens that were moved are refused", async () => {
    const [one, two] = [await signedIn(), await signedIn()];
    const sessions = auth.mongo.collection<{ _id: string }>("browserSessions");
    const taken = await sessions.findOne({ _id: hashSessionId(idOf(one)) });
    const { sealedTokens } = taken as unknown as { sealedTokens: string };
    await sessions.updateOne({ _id: hashSessionId(idOf(two)) }, { $set: { sealedTokens } });
    await expect(store.find(idOf(two), new Date())).rejects.toThrow("No key");
  });
});

describe("refreshing", () => {
  const minutes = (count: number) => () => new Date(Date.now() + count * 60_000);
  const verifyAccessToken = () => createTokenVerifier({ ...auth.config, ...auth });
  const renewAt = (now: () => Date, internalOrigin = auth.origin) =>
    renewTokensWith({
      sessions: store,
      ownClient: clientAt(now, internalOrigin),
      verifyAccessToken: verifyAccessToken(),
      now,
    });

  const generationOf = async (grantId: string | undefined) => {
    const family = await auth.mongo.collection("refreshTokenFamilies").findOne({ grantId });
    return family?.generation;
  };

  test("early answers the token that is there, and costs nothing", async () => {
    const browser = await signedIn();
    const before = cookieOf(browser, access);
    const response = await refresh(browser);
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(cookieOf(browser, access)).toBe(before);
  });

  test("gets a new token when half of the old one's life is over", async () => {
    const browser = await signedIn();
    const before = await store.find(idOf(browser), new Date());
    const renewed = await renewAt(minutes(6))(idOf(browser));
    expect(renewed?.tokens.accessToken).not.toBe(before?.tokens.accessToken);
    expect(await store.find(idOf(browser), new Date())).toEqual(renewed);
    expect(await generationOf(renewed?.grantId)).toBe(1);
  });

  test("gets one when the old one was revoked, because a role changed", async () => {
    const someone = await addMember(auth);
    const browser = await signedIn(someone);
    await setRoles(auth, someone, ["member", "clinician"]);
    await auth.mongo
      .collection("accounts")
      .updateOne({ email: someone.email }, { $inc: { tokenVersion: 1 } });
    const before = cookieOf(browser, access);
    // What an administrator's change does in the same transaction.
    const { account } = await signIn(auth, someone);
    await auth.mongo.collection("revocations").insertOne({
      revocation: {
        kind: "account",
        id: account.id,
        below: 1,
        until: Math.floor(Date.now() / 1000) + 60,
      },
      expiresAt: new Date(Date.now() + 60_000),
    });
    await expect.poll(() => me(browser), { timeout: 3_000 }).toBe(401);
    expect((await refresh(browser)).status).toBe(200);
    expect(cookieOf(browser, access)).not.toBe(before);
    expect(await me(browser)).toBe(200);
  });

  test("by many tabs at once, at two instances, advances the family once", async () => {
    const browser = await signedIn();
    const instances = [renewAt(minutes(6)), renewAt(minutes(6))];
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => instances[index % 2]?.(idOf(browser))),
    );
    // Not of one access token: on a slow machine the second instance asks too, and gets the same successor.
    expect(new Set(answers.map((answer) => answer?.tokens.refreshToken)).size).toBe(1);
    expect(await generationOf(answers[0]?.grantId)).toBe(1);
    expect(await who(browser)).toMatchObject({ account: { email: person.email } });
  });

  test("goes on where an instance died: before it asked, and before it kept the answer", async () => {
    const browser = await signedIn();
    expect(await store.claim(idOf(browser), new Date())).toBe(true);
    const found = await store.find(idOf(browser), new Date());
    const lost = await clientAt(minutes(0)).renew(found?.tokens.refreshToken ?? "");
    expect(lost).toBeDefined();
    const renewed = await renewAt(minutes(6))(idOf(browser));
    expect(renewed?.tokens.refreshToken).toBe(lost?.refreshToken);
  });

  test("while the token endpoint is away is put off (503), and costs nobody their session", async () => {
    const browser = await signedIn();
    await expect(renewAt(minutes(6), "http://127.0.0.1:9")(idOf(browser))).rejects.toMatchObject({
      status: 503,
    });
    expect((await renewAt(minutes(6))(idOf(browser)))?.accountId).toBeTruthy();
  });

  test("does not outlive the person's session at auth", async () => {
    const browser = await signedIn();
    const { accessToken } = await signIn(auth, person);
    await request(auth.origin)
      .delete("/auth/sessions")
      .set("Authorization", `Bearer ${accessToken}`)
      .expect((reply) => expect(reply.status).toBeLessThan(300));
    expect(await who(browser)).toBe(401);
    expect((await refresh(browser)).status).toBe(401);
    expect(idOf(browser)).toBe("");
    expect(cookieOf(browser, access)).toBeUndefined();
  });
});

describe("another site", () => {
  const elsewhere: Record<string, string>[] = [
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "cross-site", origin: "https://evil.example" },
  ];

  test("refreshes nothing, ends nothing and changes nothing, whatever cookies come along (403)", async () => {
    const browser = await signedIn();
    for (const headers of elsewhere) {
      expect((await refresh(browser, headers)).status).toBe(403);
      expect((await signOut(browser, headers)).status).toBe(403);
      const erased = await browser.fetch("/auth/users/me", { method: "DELETE", headers });
      expect(erased.status).toBe(403);
    }
    expect((await refresh(browser)).status).toBe(200);
    expect(await me(browser)).toBe(200);
  });
});

describe("signing out", () => {
  test("ends the session, its tokens and the one at auth (204)", async () => {
    const browser = await signedIn();
    const [id, token] = [idOf(browser), cookieOf(browser, access)];
    const response = await signOut(browser);
    expect(response.status).toBe(204);
    expect([idOf(browser), cookieOf(browser, access)]).toEqual(["", undefined]);

    const thief = createBrowser(auth.origin);
    thief.cookies.push({ name: session, value: id, path: "/" });
    thief.cookies.push({ name: access, value: token ?? "", path: "/" });
    expect(await who(thief)).toBe(401);
    await expect.poll(() => me(thief), { timeout: 1_000 }).toBe(401);
    expect((await refresh(thief)).status).toBe(401);
    expect((await browser.open(start)).body).toContain('type="password"');
  });

  test("is the same where nobody is signed in", async () => {
    expect((await signOut(createBrowser(auth.origin))).status).toBe(204);
  });

  test("leaves the person's other browsers signed in", async () => {
    const [here, there] = [await signedIn(), await signedIn()];
    await signOut(here);
    expect(await who(there)).toMatchObject({ account: { email: person.email } });
  });
});

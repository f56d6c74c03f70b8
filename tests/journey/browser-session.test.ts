/**
 * A browser app of the platform, through the real gateway: its person signs in, it works by cookies that
 * no script reads, and no other site can use them.
 */
import { type Browser, createBrowser } from "@portico/dev-env";
import { beforeAll, describe, expect, inject, it } from "vitest";

const { ready } = inject("platform");
const session = "/auth/browser-session";
const cookies = { session: "__Host-portico-session", access: "__Host-portico-access" };

const person = ready.users.find(({ kind }) => kind === "verified");
const credentials = { email: String(person?.email), password: String(person?.password) };

let browser: Browser;
beforeAll(async () => {
  browser = createBrowser(ready.gateway);
  const page = await browser.open(`${session}/start?return_to=/auth/openapi.json`);
  expect(page.body).toContain("Sign in");
  const back = await browser.submit(page, credentials);
  expect([back.status, back.url.pathname]).toEqual([200, "/auth/openapi.json"]);
});

const cookieOf = (name: string) => browser.cookies.find((cookie) => cookie.name === name)?.value;
const status = async (path: string, method = "GET", headers: Record<string, string> = {}) =>
  (await browser.fetch(path, { method, headers })).status;

const writePost = (headers: Record<string, string> = {}) =>
  fetch(`${ready.gateway}/posts`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Cookie: `${cookies.access}=${cookieOf(cookies.access)}`,
      ...headers,
    },
    body: JSON.stringify({ text: "from a browser" }),
  });

describe("a browser app", () => {
  it("learns who is signed in", async () => {
    const reply = await browser.fetch(session);
    expect(await reply.json()).toMatchObject({ account: { email: credentials.email } });
  });

  it.each(["/auth/users/me", "/posts", "/payments", "/cards"])(
    "is let in by its cookie alone, at the gateway and at the service: %s",
    async (path) => {
      expect(await status(path)).toBe(200);
      expect((await createBrowser(ready.gateway).fetch(path)).status).toBe(401);
    },
  );

  it("is refused with a forged token in its cookie", async () => {
    const [head, payload] = cookieOf(cookies.access)?.split(".") ?? [];
    const cookie = `${cookies.access}=${head}.${payload}.${"A".repeat(86)}`;
    expect(await status("/posts", "GET", { cookie })).toBe(401);
  });

  it("keeps its session in two tabs that refresh at the same time", async () => {
    const tabs = [1, 2, 3, 4].map(() => status(`${session}/refresh`, "POST"));
    expect(await Promise.all(tabs)).toEqual([200, 200, 200, 200]);
    expect(await status("/posts")).toBe(200);
  });

  it("writes from its own page, and from no other site's, whatever cookies come along", async () => {
    const { origin, host } = new URL(ready.gateway);
    expect((await writePost({ "Sec-Fetch-Site": "same-origin" })).status).toBe(201);
    expect((await writePost({ Origin: origin, Host: host })).status).toBe(201);
    const attempts: Record<string, string>[] = [
      { "Sec-Fetch-Site": "cross-site", Origin: "https://evil.example" },
      { "Sec-Fetch-Site": "same-site", Origin: "https://sibling.example" },
      { Origin: "https://evil.example" },
      { Origin: "null" },
      {},
    ];
    for (const headers of attempts) expect((await writePost(headers)).status).toBe(403);
    for (const path of [session, "/auth/users/me"]) {
      expect(await status(path, "DELETE", { "sec-fetch-site": "cross-site" })).toBe(403);
    }
    expect(await status("/posts")).toBe(200);
  });

  it("is shown no token: not in an address, nor in what any page reads", async () => {
    const token = cookieOf(cookies.access) ?? "";
    const reads = await Promise.all([
      browser.fetch(session).then((reply) => reply.text()),
      browser.fetch(`${session}/refresh`, { method: "POST" }).then((reply) => reply.text()),
    ]);
    const again = await browser.open(`${session}/start?return_to=/auth/openapi.json`);
    expect([...reads, again.url.href].join()).not.toContain(token.split(".")[0]);
  });

  it("signs its person out, everywhere in this browser", async () => {
    const kept = browser.cookies.filter(({ name }) => Object.values(cookies).includes(name));
    expect(kept).toHaveLength(2);
    expect(await status(session, "DELETE")).toBe(204);
    expect(await status("/posts")).toBe(401);

    const thief = createBrowser(ready.gateway);
    thief.cookies.push(...kept);
    expect((await thief.fetch(session)).status).toBe(401);
    expect((await thief.fetch(`${session}/refresh`, { method: "POST" })).status).toBe(401);
    const again = await browser.open(`${session}/start`);
    expect(again.body).toContain('type="password"');
  });

  it("takes its access token along when it signs out: refused by every service", async () => {
    const page = await browser.open(`${session}/start?return_to=/auth/openapi.json`);
    await browser.submit(page, credentials);
    const cookie = `${cookies.access}=${cookieOf(cookies.access)}`;
    expect(await status("/posts", "GET", { cookie })).toBe(200);
    expect(await status(session, "DELETE")).toBe(204);
    // How soon is what tests/revocation measures, where nothing else is asked of the machine at that moment.
    for (const path of ["/auth/users/me", "/posts", "/payments", "/cards"]) {
      await expect.poll(() => status(path, "GET", { cookie }), { timeout: 10_000 }).toBe(401);
    }
  });
});

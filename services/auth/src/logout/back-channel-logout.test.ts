import { generateKeyPairSync } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { createBrowser } from "@portico/dev-env";
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from "jose";
import { Provider } from "oidc-provider";
import * as openid from "openid-client";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { createAdapters } from "../oidc/adapter.ts";
import { callback, goThrough, newAuthorization, registerClient } from "../testing/oauth-client.ts";
import { addMember, type Person, signIn } from "../testing/people.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";
import { outgoingFetch } from "./outgoing-fetch.ts";
import { tellClientWith } from "./tell-client.ts";

/** As much of a relying party as is told of a logout. `answer` says what it does with the next calls. */
type Listener = {
  url: string;
  tokens: string[];
  calls: number;
  /** Calls that the caller gave up. */
  abandoned: number;
  answer: 200 | 500 | "nothing";
  server: Server;
};

async function startListener(): Promise<Listener> {
  const server = createServer(async (incoming, outgoing) => {
    listener.calls += 1;
    const body = new URLSearchParams(await text(incoming));
    if (listener.answer === "nothing") {
      outgoing.on("close", () => {
        listener.abandoned += 1;
      });
      return;
    }
    if (listener.answer === 200) listener.tokens.push(body.get("logout_token") ?? "");
    outgoing.writeHead(listener.answer).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/backchannel-logout`;
  const listener: Listener = { url, tokens: [], calls: 0, abandoned: 0, answer: 200, server };
  return listener;
}

let auth: TestAuth;
let person: Person;
let told: Listener;
let slow: Listener;
let web: openid.Configuration;
let other: openid.Configuration;

beforeAll(async () => {
  auth = await startAuth(inject("stores"));
  [told, slow] = await Promise.all([startListener(), startListener()]);
  web = await registerClient(auth, {
    client_id: "web",
    backchannel_logout_uri: told.url,
    backchannel_logout_session_required: true,
    post_logout_redirect_uris: ["https://client.example/"],
  });
  other = await registerClient(auth, { client_id: "other", backchannel_logout_uri: slow.url });
  person = await addMember(auth);
});
afterAll(async () => {
  await auth.stop();
  for (const { server } of [told, slow]) {
    server.closeAllConnections();
    server.close();
  }
});

type Browser = ReturnType<typeof createBrowser>;

async function signInAt(browser: Browser, client: openid.Configuration) {
  const { parameters, checks } = await newAuthorization({ prompt: "" });
  const url = openid.buildAuthorizationUrl(client, parameters);
  const { url: answer } = await goThrough(browser, url, person);
  return openid.authorizationCodeGrant(client, answer, checks);
}

async function signOut(browser: Browser, idToken: string) {
  const url = openid.buildEndSessionUrl(web, {
    id_token_hint: idToken,
    post_logout_redirect_uri: "https://client.example/",
    state: "of-the-client",
  });
  return browser.submit(await browser.open(url), { logout: "yes" });
}

const nextToken = async (listener: Listener, before: number): Promise<string> => {
  await vi.waitFor(() => expect(listener.tokens.length).toBeGreaterThan(before), 10_000);
  return listener.tokens.at(-1) ?? "";
};

/** As section 2.6 has a relying party do it. */
async function verify(token: string, clientId: string): Promise<JWTPayload> {
  const keys = createRemoteJWKSet(new URL(`${auth.origin}/auth/jwks`));
  const { payload } = await jwtVerify(token, keys, {
    issuer: `${auth.origin}/auth`,
    audience: clientId,
    typ: "logout+jwt",
    algorithms: ["ES256"],
    maxTokenAge: "2 minutes",
  });
  return payload;
}

test("sign-out > tells the client by a logout token, and brings the person back to it", async () => {
  const browser = createBrowser(auth.origin);
  const tokens = await signInAt(browser, web);
  const before = told.tokens.length;
  const back = await signOut(browser, tokens.id_token ?? "");
  expect(back.url.href).toBe("https://client.example/?state=of-the-client");

  const logout = await verify(await nextToken(told, before), "web");
  const claims = tokens.claims();
  const [sub, sid] = [claims?.sub, claims?.sid];
  expect(sid).toBeTruthy();
  expect(logout).toMatchObject({
    sub,
    sid,
    jti: expect.any(String),
    events: { "http://schemas.openid.net/event/backchannel-logout": {} },
  });
  expect(logout).not.toHaveProperty("nonce");
});

test("sign-out > waits for no client, tells the others meanwhile, and tries again", async () => {
  slow.answer = "nothing";
  const browser = createBrowser(auth.origin);
  await signInAt(browser, other);
  const tokens = await signInAt(browser, web);
  const before = told.tokens.length;

  await signOut(browser, tokens.id_token ?? "");
  // The library alone would have waited until it gave the call up.
  expect(slow.abandoned).toBe(0);
  await nextToken(told, before);

  await vi.waitFor(() => expect(slow.abandoned).toBeGreaterThan(0), 10_000);
  expect(slow.tokens).toEqual([]);
  slow.answer = 200;
  expect(await verify(await nextTokenSoon(slow), "other")).toHaveProperty("sub");
}, 40_000);

const nextTokenSoon = async (listener: Listener) => {
  await vi.waitFor(() => expect(listener.tokens.length).toBe(1), { timeout: 30_000 });
  return listener.tokens[0] ?? "";
};

test("a session that is ended from elsewhere > is told of as well", async () => {
  const browser = createBrowser(auth.origin);
  const tokens = await signInAt(browser, web);
  const before = told.tokens.length;
  const { accessToken } = await signIn(auth, person);
  await request(auth.origin)
    .delete("/auth/sessions")
    .set("Authorization", `Bearer ${accessToken}`)
    .expect(204);
  const logout = await verify(await nextToken(told, before), "web");
  expect(logout.sid).toBe(tokens.claims()?.sid);
});

test("sign-out > tells nobody of a session that they had no part in", async () => {
  const before = told.calls;
  const browser = createBrowser(auth.origin);
  const tokens = await signInAt(browser, other);
  const slowBefore = slow.tokens.length;
  const url = openid.buildEndSessionUrl(other, { id_token_hint: tokens.id_token ?? "" });
  await browser.submit(await browser.open(url), { logout: "yes" });
  await nextToken(slow, slowBefore);
  expect(told.calls).toBe(before);
});

const event = (ageMs: number) => ({
  specversion: "1.0" as const,
  id: "1",
  source: "/auth",
  type: "dev.portico.auth.client-signed-out",
  time: new Date(Date.now() - ageMs).toISOString(),
  datacontenttype: "application/json" as const,
  data: { clientId: "web", accountId: "somebody", sid: "a-session" },
});

test("a client that never answers > is told for an hour, then given up with a line in the log", async () => {
  const lines: string[] = [];
  const logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: (name: string) => lines.push(name),
    error: () => undefined,
  };
  const sendLogoutToken = vi.fn(() => Promise.reject(new Error("no answer")));
  const client = { backchannelLogoutUri: told.url, sendLogoutToken };
  const provider = { Client: { find: async () => client } };
  let now = Date.now();
  const tell = tellClientWith(
    () => provider as never,
    logger,
    () => now,
  );

  await expect(tell(event(0), undefined as never)).rejects.toThrow("no answer");
  await expect(tell(event(0), undefined as never)).rejects.toThrow("just now");
  expect(sendLogoutToken).toHaveBeenCalledTimes(1);
  now += 6_000;
  await expect(tell(event(0), undefined as never)).rejects.toThrow("no answer");
  expect(lines).toEqual([]);
  await tell(event(61 * 60 * 1000), undefined as never);
  expect(lines).toEqual(["logout.undelivered"]);
});

describe("a client at a private address", () => {
  const call = async (onLaptop: boolean) => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const provider = new Provider("https://portico.example/auth", {
      adapter: createAdapters(auth.mongo),
      jwks: { keys: [privateKey.export({ format: "jwk" })] },
      clients: [
        {
          client_id: "inside",
          client_secret: "x".repeat(43),
          redirect_uris: [callback],
          id_token_signed_response_alg: "ES256",
          backchannel_logout_uri: told.url,
        },
      ],
      features: { backchannelLogout: { enabled: true }, devInteractions: { enabled: false } },
      fetch: outgoingFetch(onLaptop),
    });
    const client = (await provider.Client.find("inside")) as unknown as {
      backchannelLogout(sub: string, sid: string): Promise<void>;
    };
    const before = told.calls;
    await client.backchannelLogout("somebody", "a-session").catch(() => undefined);
    return told.calls - before;
  };

  test("is not called: a registration is no way to what is only reachable from inside", async () => {
    expect(await call(false)).toBe(0);
  });

  test("is called by a platform on a laptop", async () => {
    expect(await call(true)).toBe(1);
  });
});

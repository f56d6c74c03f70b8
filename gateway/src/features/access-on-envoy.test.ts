import { createHmac, createPublicKey } from "node:crypto";
import type { TestIssuer } from "@portico/dev-env";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ask, type Question, type Upstream } from "./real-envoy.ts";
import { problemOf, type SmallPlatform, startSmallPlatform } from "./small-platform.ts";

/** Who is let in, with which token, by which spelling of a path. */

let platform: SmallPlatform;
let issuer: TestIssuer;
let posts: Upstream;
let cards: Upstream;
let token: string;
let port: number;
let closedPort: number;
let darkPort: number;

beforeAll(async () => {
  platform = await startSmallPlatform();
  ({ issuer, posts, cards, token, port, closedPort, darkPort } = platform);
});

afterAll(() => platform?.stop());

const bearer = (token?: string) => platform.bearer(token);

test("a request > reaches the service of its path, whole and with its token", async () => {
  const answer = await ask(port, "/posts/1?draft=true", {
    method: "POST",
    body: "hello",
    headers: { authorization: `Bearer ${token}`, "content-type": "text/plain" },
  });
  expect(answer.status).toBe(200);
  expect(answer.json()).toMatchObject({
    service: "posts",
    method: "POST",
    url: "/posts/1?draft=true",
    bytes: 5,
    headers: { authorization: `Bearer ${token}`, host: `127.0.0.1:${port}` },
  });
  expect((await ask(port, "/transactions", bearer())).json().service).toBe("cards");
});

test("a prefix > ends at a segment: /posts is not /postsx", async () => {
  for (const path of ["/postsx", "/posts.json", "/cardsactive"]) {
    expect(problemOf(await ask(port, path, bearer()))).toBe("404 not-found");
  }
});

test("without a token > everything is 401 but what a policy opens, for the method it opens", async () => {
  const refused = await ask(port, "/posts");
  expect(problemOf(refused)).toBe("401 unauthenticated");
  expect(refused.headers["www-authenticate"]).toBe("Bearer");
  const before = posts.count();
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]) {
    expect([401, 405]).toContain((await ask(port, "/cards", { method })).status);
  }
  expect((await ask(port, "/posts/openapi.json", { method: "POST" })).status).toBe(401);
  expect(posts.count()).toBe(before);
  expect((await ask(port, "/posts/openapi.json")).status).toBe(200);
});

test("an unknown path > is 401 without a token and 404 with one, whatever the host", async () => {
  for (const host of ["localhost", "portico.example", "127.0.0.1:1"]) {
    const headers = { host };
    expect(problemOf(await ask(port, "/nowhere", { headers }))).toBe("401 unauthenticated");
    const answer = await ask(port, "/nowhere", { headers: { ...headers, ...bearer().headers } });
    expect(problemOf(answer)).toBe("404 not-found");
  }
});

test("a Gateway without a policy > refuses every token, and still serves what is open", async () => {
  expect(problemOf(await ask(closedPort, "/posts", bearer()))).toBe("401 unauthenticated");
  expect(problemOf(await ask(closedPort, "/nowhere", bearer()))).toBe("401 unauthenticated");
  expect((await ask(closedPort, "/posts/openapi.json")).status).toBe(200);
});

test("an issuer that cannot be reached > is 503 and not the caller's fault, and lets nobody in", async () => {
  const answer = await ask(darkPort, "/posts", bearer());
  expect(problemOf(answer)).toBe("503 unavailable");
  expect(answer.headers["retry-after"]).toBe("1");
  expect(problemOf(await ask(darkPort, "/posts"))).toBe("401 unauthenticated");
});

const nowSeconds = () => Math.floor(Date.now() / 1000);
const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");

/** Signed with the public key as if it were a shared secret: the oldest confusion of algorithms. */
async function confusedToken(): Promise<string> {
  const { keys } = (await (await fetch(issuer.jwksUrl)).json()) as {
    keys: [Record<string, string>];
  };
  const pem = createPublicKey({ key: keys[0], format: "jwk" }).export({
    type: "spki",
    format: "pem",
  });
  const [, payload] = token.split(".");
  const signed = `${encode({ alg: "HS256", typ: "at+jwt", kid: "test" })}.${payload}`;
  return `${signed}.${createHmac("sha256", pem).update(signed).digest("base64url")}`;
}

test.each<[string, () => string | Promise<string>]>([
  ["is expired", () => issuer.expiredToken()],
  ["expired ten seconds ago", () => issuer.signToken({ exp: nowSeconds() - 10 })],
  ["is not valid yet", () => issuer.signToken({ nbf: nowSeconds() + 60 })],
  ["never expires", () => issuer.signToken({ exp: undefined })],
  ["is signed by another key", () => issuer.forgedToken()],
  ["names an unknown key", () => issuer.signToken({}, { kid: "unknown" })],
  ["is for another audience", () => issuer.foreignAudienceToken()],
  ["is for no audience", () => issuer.signToken({ aud: undefined })],
  ["is of another issuer", () => issuer.signToken({ iss: "https://elsewhere.example" })],
  ["is not signed", () => `${encode({ alg: "none" })}.${token.split(".")[1]}.`],
  ["confuses a public key with a secret", confusedToken],
  ["has an edited payload", () => token.replace(/\.[^.]+\./, `.${encode({ sub: "admin" })}.`)],
  ["is not a JWT", () => "opaque"],
  ["is empty", () => ""],
])("a token that %s > is refused, where the good one passes", async (_what, forge) => {
  const before = cards.count();
  const answer = await ask(port, "/cards", bearer(await forge()));
  expect(problemOf(answer)).toBe("401 unauthenticated");
  expect(answer.headers["www-authenticate"]).toMatch(/^Bearer( error="invalid_token")?$/);
  expect(cards.count()).toBe(before);
  expect((await ask(port, "/cards", bearer())).status).toBe(200);
});

test("a token that is bound to a key > goes to the service with its proof, and is no less verified", async () => {
  const bound = await issuer.signToken({ cnf: { jkt: "of-a-key" } });
  const dpop = (value: string): Question => ({
    headers: { authorization: `DPoP ${value}`, dpop: "proof" },
  });
  const answer = await ask(port, "/posts/1", dpop(bound));
  expect(answer.json()).toMatchObject({
    service: "posts",
    headers: { authorization: `DPoP ${bound}`, dpop: "proof" },
  });
  expect(problemOf(await ask(port, "/posts/1", dpop(await issuer.expiredToken())))).toBe(
    "401 unauthenticated",
  );
  expect((await ask(port, "/posts/1", dpop(await issuer.forgedToken()))).status).toBe(401);
});

test("a token in the cookie that the policy names > passes like one in the header, and is no less verified", async () => {
  const cookie = (value: string): Question => ({
    headers: { cookie: `theme=dark; __Host-access=${value}; other=1` },
  });
  const answer = await ask(port, "/cards", cookie(token));
  expect(answer.json()).toMatchObject({ service: "cards", headers: cookie(token).headers });
  const before = cards.count();
  for (const bad of [await issuer.expiredToken(), await issuer.forgedToken(), "", "a.b.c"]) {
    expect(problemOf(await ask(port, "/cards", cookie(bad)))).toBe("401 unauthenticated");
  }
  expect(cards.count()).toBe(before);
});

test("a token in the header > passes with a good one in the cookie, and neither makes up for a bad other", async () => {
  const both = async (header: string, cookie: string) => {
    const headers = { authorization: `Bearer ${header}`, cookie: `__Host-access=${cookie}` };
    return (await ask(port, "/cards", { headers })).status;
  };
  expect(await both(token, token)).toBe(200);
  const forged = await issuer.forgedToken();
  expect(await both(forged, token)).toBe(401);
  expect(await both(token, forged)).toBe(401);
});

test("a token > is taken from the Authorization header, the named cookie, and from nowhere else", async () => {
  const elsewhere: Question["headers"][] = [
    { cookie: `access_token=${token}` },
    { "x-authorization": `Bearer ${token}` },
    { authorization: token },
    { authorization: `Basic ${token}` },
  ];
  for (const headers of elsewhere) {
    expect((await ask(port, "/cards", { headers })).status).toBe(401);
  }
  expect((await ask(port, `/cards?access_token=${token}`)).status).toBe(401);
});

test.each([
  "/posts/openapi.json/",
  "/posts/openapi.json/../1",
  "/posts/openapi.json/%2e%2e/1",
  "/posts/openapi.json;x",
  "/posts/openapi.json%20",
  "/posts/OpenAPI.json",
  "/POSTS/openapi.json",
  "/posts/openapi.jsonx",
  "/posts//1",
  "//posts",
  "/./posts",
  "/p%6fsts/1",
])("a path spelt %s > opens nothing", async (path) => {
  const before = posts.count();
  expect((await ask(port, path)).status).toBe(401);
  expect(posts.count()).toBe(before);
});

test.each(["/posts%2fopenapi.json", "/posts/openapi.json%5c..%5c1", "/posts/..%2f..%2fcards"])(
  "a path with an encoded slash, %s > is refused with and without a token",
  async (path) => {
    expect(problemOf(await ask(port, path))).toBe("400 invalid-request");
    expect(problemOf(await ask(port, path, bearer()))).toBe("400 invalid-request");
  },
);

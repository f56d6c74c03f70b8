import request from "supertest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { accessTokenCookie, readCookie } from "./browser-cookie.ts";
import { endpoint, type Method } from "./endpoint.ts";
import { anyone, type Guard, permits, signedIn } from "./guard.ts";
import { createTestApp, type TestApp } from "./testing/test-app.ts";

const answering = (method: Method, path: string, guard: Guard) =>
  endpoint({
    method,
    path,
    summary: "Answer the caller",
    guard,
    reply: { status: 200, body: z.object({ subject: z.string().nullable() }) },
    handle: ({ caller }) => ({ subject: caller?.subject ?? null }),
  });

let example: TestApp;
let cookie: string;
beforeAll(async () => {
  example = await createTestApp([
    answering("get", "/read", signedIn),
    answering("post", "/change", permits("posts:write")),
    answering("delete", "/change", signedIn),
    answering("post", "/public", anyone),
  ]);
  cookie = `theme=dark; ${accessTokenCookie}=${await example.issuer.signToken()}; other=1`;
});
afterAll(() => example.close());

const read = (headers: Record<string, string>) => request(example.app).get("/read").set(headers);
const change = (headers: Record<string, string>) =>
  request(example.app)
    .post("/change")
    .set({ Cookie: cookie, ...headers });

describe("the access token of a browser", () => {
  it("is taken from its cookie when there is no Authorization header", async () => {
    expect((await read({ Cookie: cookie })).body).toEqual({ subject: "member-1" });
    expect((await read({ Cookie: "theme=dark" })).status).toBe(401);
    const bare = cookie.replace("__Host-", "");
    expect((await read({ Cookie: bare })).status).toBe(401);
  });

  it("is judged like any other (401)", async () => {
    for (const token of [await example.issuer.expiredToken(), await example.issuer.forgedToken()]) {
      const refused = await read({ Cookie: `${accessTokenCookie}=${token}` });
      expect(refused.status).toBe(401);
      expect(refused.headers["www-authenticate"]).toBe('Bearer error="invalid_token"');
    }
    const bearer = await example.bearer({ scope: "posts:read" });
    const [, weak] = bearer.split(" ");
    const refused = await change({
      Cookie: `${accessTokenCookie}=${weak}`,
      "Sec-Fetch-Site": "same-origin",
    });
    expect(refused.status).toBe(403);
    expect(refused.body.detail).toContain("posts:write");
  });

  it("does not count beside an Authorization header, not even a bad one", async () => {
    const other = await read({ Cookie: cookie, Authorization: await example.bearer({ sub: "b" }) });
    expect(other.body).toEqual({ subject: "b" });
    expect((await read({ Cookie: cookie, Authorization: "Bearer a.b.c" })).status).toBe(401);
  });

  it("is not looked at where none is needed: an expired one is in nobody's way", async () => {
    const expired = `${accessTokenCookie}=${await example.issuer.expiredToken()}`;
    const reached = await request(example.app).post("/public").set("Cookie", expired);
    expect(reached.body).toEqual({ subject: null });
  });
});

describe("a request that may change something", () => {
  const host = "portico.example";

  it.each([
    ["a page of this origin", { "Sec-Fetch-Site": "same-origin" }],
    ["such a page in an older browser", { Host: host, Origin: `https://${host}` }],
  ])("is answered when it comes from %s", async (_, headers) => {
    expect((await change(headers as Record<string, string>)).body).toEqual({ subject: "member-1" });
  });

  it.each([
    ["another site", { "Sec-Fetch-Site": "cross-site" }],
    ["a sibling domain", { "Sec-Fetch-Site": "same-site" }],
    ["an address bar", { "Sec-Fetch-Site": "none" }],
    ["a page that says two things", { "Sec-Fetch-Site": "cross-site", Origin: `https://${host}` }],
    ["another origin, in an older browser", { Host: host, Origin: "https://evil.example" }],
    ["a host that begins alike", { Host: host, Origin: `https://${host}.evil.example` }],
    ["another port", { Host: host, Origin: `https://${host}:8443` }],
    ["a sandboxed frame", { Host: host, Origin: "null" }],
    ["nowhere that it names", {}],
  ])("is refused from %s, whatever its cookies (403)", async (_, headers) => {
    for (const refused of [
      await change(headers as Record<string, string>),
      await request(example.app)
        .delete("/change")
        .set({ Cookie: cookie, ...headers }),
    ]) {
      expect(refused.status).toBe(403);
      expect(refused.body.code).toBe("forbidden");
    }
  });

  it("needs no such proof with an Authorization header: no browser sends that by itself", async () => {
    const reached = await request(example.app)
      .post("/change")
      .set({ Authorization: await example.bearer(), "Sec-Fetch-Site": "cross-site" });
    expect(reached.status).toBe(200);
  });
});

describe("reading a cookie", () => {
  it.each([
    [undefined, undefined],
    ["", undefined],
    ["a=1", "1"],
    ["b=2; a=1", "1"],
    ["b=2;a=1", "1"],
    ["ba=2; a=1=1", "1=1"],
    ["a=", undefined],
    ["a", undefined],
  ])("in %j finds a: %j", (header, value) => {
    expect(readCookie(header, "a")).toBe(value);
  });
});

import request from "supertest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { anyone, type Guard, permits, signedIn, signedInWithin } from "./guard.ts";
import { createTestApp, type TestApp } from "./testing/test-app.ts";

const guarded = (path: string, guard: Guard) =>
  endpoint({
    method: "get",
    path,
    summary: "Answer the caller",
    guard,
    reply: { status: 200, body: z.object({ subject: z.string().nullable() }) },
    handle: ({ caller }) => ({ subject: caller?.subject ?? null }),
  });

let example: TestApp;
beforeAll(async () => {
  example = await createTestApp([
    guarded("/public", anyone),
    guarded("/signed-in", signedIn),
    guarded("/scoped", permits("posts:read")),
    guarded("/role", permits("posts:read", { roles: ["clinician", "admin"] })),
    guarded("/verified", permits("posts:read", { verified: true })),
    guarded("/recent", signedInWithin(300)),
  ]);
});
afterAll(() => example.close());

const get = (path: string, authorization?: string) => {
  const sent = request(example.app).get(path);
  return authorization === undefined ? sent : sent.set("Authorization", authorization);
};

const everyGuard = ["/signed-in", "/scoped", "/role", "/verified", "/recent"];

const secondsAgo = (seconds: number) => Math.floor(Date.now() / 1000) - seconds;

describe("a caller without a token", () => {
  it("reaches what is public", async () => {
    expect((await get("/public")).body).toEqual({ subject: null });
  });

  it.each(everyGuard)(
    "is refused elsewhere, and told how to authenticate (401): %s",
    async (path) => {
      const refused = await get(path);
      expect(refused.status).toBe(401);
      expect(refused.body.code).toBe("unauthenticated");
      expect(refused.headers["www-authenticate"]).toBe("Bearer");
    },
  );

  it("is not served by a token in the query", async () => {
    const [, token] = (await example.bearer()).split(" ");
    expect((await get(`/scoped?access_token=${token}`)).status).toBe(401);
  });
});

describe("a malformed Authorization header", () => {
  it.each([
    ["another scheme", "Basic YTpi"],
    ["no token", "Bearer"],
    ["an empty token", "Bearer "],
    ["two tokens", "Bearer a.b.c d.e.f"],
    ["two kinds", "Bearer a.b.c, Basic YTpi"],
    ["quotes", 'Bearer "a.b.c"'],
    ["garbage", "a.b.c"],
    ["garbage in a token", "Bearer a.b.c"],
    ["too long a token", `Bearer ${"a".repeat(9_000)}`],
  ])("is refused, also where no token is needed: %s (401)", async (_, authorization) => {
    for (const path of ["/public", "/scoped"]) {
      const refused = await get(path, authorization);
      expect(refused.status).toBe(401);
      expect(refused.headers["www-authenticate"]).toBe('Bearer error="invalid_token"');
    }
  });
});

describe("a caller with a token", () => {
  it.each(["/public", ...everyGuard])("that holds everything reaches %s", async (path) => {
    const reached = await get(
      path,
      await example.bearer({ roles: ["clinician"], auth_time: secondsAgo(290) }),
    );
    expect(reached.body).toEqual({ subject: "member-1" });
  });

  it("is known by any spelling of the scheme", async () => {
    const authorization = (await example.bearer()).replace("Bearer", "bEARER");
    expect((await get("/scoped", authorization)).status).toBe(200);
  });

  it("that lacks the scope is told which (403)", async () => {
    const refused = await get(
      "/scoped",
      await example.bearer({ scope: "posts:write posts:reader" }),
    );
    expect(refused.status).toBe(403);
    expect(refused.body).toMatchObject({ code: "forbidden" });
    expect(refused.body.detail).toContain("posts:read");
    expect(refused.headers["www-authenticate"]).toBe(
      'Bearer error="insufficient_scope", scope="posts:read"',
    );
  });

  it("that lacks the role is told which (403)", async () => {
    const refused = await get("/role", await example.bearer({ roles: ["member"] }));
    expect(refused.status).toBe(403);
    expect(refused.body.detail).toContain("clinician, admin");
  });

  it("of a client that speaks for itself has no address to verify", async () => {
    const claims = { email_verified: false, sub: "batch", client_id: "batch" };
    expect((await get("/verified", await example.bearer(claims))).status).toBe(200);
  });

  it("of an unverified account is told so (403)", async () => {
    const refused = await get("/verified", await example.bearer({ email_verified: false }));
    expect(refused.status).toBe(403);
    expect(refused.body.detail).toContain("verified");
  });

  it.each([
    ["too long ago", { auth_time: secondsAgo(310) }],
    ["at no known time", {}],
  ])("that signed in %s is told to do it again (401)", async (_, claims) => {
    const refused = await get("/recent", await example.bearer(claims));
    expect(refused.status).toBe(401);
    expect(refused.headers["www-authenticate"]).toBe(
      'Bearer error="insufficient_user_authentication", max_age="300"',
    );
  });
});

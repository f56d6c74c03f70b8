import { startTestService, type TestService } from "@portico/dev-env";
import type { Express } from "express";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createPosts } from "../app.ts";
import { migrations } from "../migrations.ts";
import { createPostStore } from "./post-store.ts";

let posts: TestService<Express>;
let authorization: string;

beforeAll(async () => {
  posts = await startTestService(inject("stores"), migrations, ({ mongo, ...parts }) =>
    createPosts({ posts: createPostStore(mongo), ...parts }),
  );
  authorization = await posts.bearer();
});

afterAll(() => posts.stop());

const write = (body: unknown, headers: Record<string, string> = {}) =>
  request(posts.app)
    .post("/posts")
    .set({ Authorization: authorization, ...headers })
    .send(body as object);

const read = (path: string) => request(posts.app).get(path).set("Authorization", authorization);

const wrongFields = (response: request.Response) =>
  response.body.errors.map((error: { field: string }) => error.field);

describe("POST /posts", () => {
  it("answers the post and its place (201)", async () => {
    const written = await write({ text: "  Good morning  " });
    expect(written.status).toBe(201);
    expect(written.body).toEqual({
      id: expect.stringMatching(/^[\da-f-]{36}$/),
      authorId: "member-1",
      text: "Good morning",
      createdAt: expect.stringMatching(/Z$/),
    });
    expect(written.headers.location).toBe(`/posts/${written.body.id}`);
    expect((await read(written.headers.location ?? "")).body).toEqual(written.body);
  });

  it("counts characters as a person does: 500 family emoji are 500", async () => {
    expect((await write({ text: "👨‍👩‍👧‍👦".repeat(500) })).status).toBe(201);
    const tooLong = await write({ text: "é".repeat(501) });
    expect(tooLong.status).toBe(400);
    expect(wrongFields(tooLong)).toEqual(["text"]);
  });

  it.each([
    ["nothing", {}, ["text"]],
    ["blank text", { text: "   " }, ["text"]],
    ["a number", { text: 7 }, ["text"]],
    ["an operator", { text: { $gt: "" } }, ["text"]],
    ["unknown fields", { text: "a", authorId: "someone", _id: "x" }, ["authorId", "_id"]],
    ["an array", ["text"], [""]],
  ])("names each wrong field of %s (400)", async (_, body, fields) => {
    const refused = await write(body);
    expect(refused.status).toBe(400);
    expect(refused.body.code).toBe("invalid-request");
    expect(wrongFields(refused)).toEqual(fields);
  });

  it("refuses a caller without a token (401)", async () => {
    const refused = await request(posts.app).post("/posts").send({ text: "a" });
    expect(refused.status).toBe(401);
    expect(refused.headers["www-authenticate"]).toBe("Bearer");
  });

  it("refuses a caller without posts:write (403)", async () => {
    const refused = await write(
      { text: "a" },
      { Authorization: await posts.bearer({ scope: "posts:read" }) },
    );
    expect(refused.status).toBe(403);
    expect(refused.body.detail).toContain("posts:write");
  });

  it("refuses an unverified account and says so (403)", async () => {
    const refused = await write(
      { text: "a" },
      { Authorization: await posts.bearer({ email_verified: false }) },
    );
    expect(refused.status).toBe(403);
    expect(refused.body.detail).toContain("verified");
  });

  it("refuses a body that is too large (413)", async () => {
    expect((await write({ text: "a".repeat(200_000) })).status).toBe(413);
  });

  it("refuses another content type (415)", async () => {
    const refused = await request(posts.app)
      .post("/posts")
      .set({ Authorization: authorization, "Content-Type": "text/plain" })
      .send("text=a");
    expect(refused.status).toBe(415);
    expect(refused.headers.accept).toBe("application/json");
  });
});

describe("GET /posts/:postId", () => {
  it("answers 404 for a post that is not there", async () => {
    const missing = await read("/posts/00000000-0000-4000-8000-000000000000");
    expect(missing.status).toBe(404);
    expect(missing.body.code).toBe("not-found");
  });

  it("names a malformed id (400)", async () => {
    const refused = await read("/posts/1");
    expect(refused.status).toBe(400);
    expect(wrongFields(refused)).toEqual(["postId"]);
  });

  it("refuses a caller without posts:read (403)", async () => {
    const refused = await request(posts.app)
      .get("/posts/00000000-0000-4000-8000-000000000000")
      .set("Authorization", await posts.bearer({ scope: "openid" }));
    expect(refused.status).toBe(403);
  });
});

describe("GET /posts", () => {
  it("pages newest first, and stays stable while posts are added", async () => {
    const written: string[] = [];
    for (const text of ["1", "2", "3", "4", "5"]) written.unshift((await write({ text })).body.id);

    const first = await read("/posts?limit=2");
    await write({ text: "written meanwhile" });
    const second = await read(`/posts?limit=2&after=${first.body.nextCursor}`);

    const ids = [...first.body.items, ...second.body.items].map(({ id }: { id: string }) => id);
    expect(ids).toEqual(written.slice(0, 4));
    expect(first.headers.link).toBe(`</posts?limit=2&after=${first.body.nextCursor}>; rel="next"`);
  });

  it("ends: the last page has no cursor", async () => {
    let after = "";
    let pages = 0;
    do {
      const page = await read(`/posts?limit=100${after && `&after=${after}`}`);
      after = page.body.nextCursor;
      pages += 1;
    } while (after && pages < 100);
    expect(after).toBeNull();
  });

  it.each([
    ["limit=0", "limit"],
    ["limit=101", "limit"],
    ["limit=ten", "limit"],
    ["after=nonsense", "after"],
    ["after[$gt]=", "after[$gt]"],
    ["sort=text", "sort"],
  ])("names what is wrong with ?%s (400)", async (query, field) => {
    const refused = await read(`/posts?${query}`);
    expect(refused.status).toBe(400);
    expect(wrongFields(refused)).toEqual([field]);
  });

  it("reads its index, never the whole collection", async () => {
    const { winningPlan } = (
      await posts.mongo
        .collection("posts")
        .find()
        .sort({ createdAt: -1, _id: -1 })
        .limit(20)
        .explain("queryPlanner")
    ).queryPlanner;
    expect(JSON.stringify(winningPlan)).toContain("IXSCAN");
    expect(JSON.stringify(winningPlan)).not.toContain('"SORT"');
  });
});

describe("posts", () => {
  it("writes no text and no token to its log", async () => {
    await write({ text: "canary-4711" });
    expect(posts.logged()).toContain("request.handled");
    expect(posts.logged()).not.toContain("canary-4711");
    expect(posts.logged()).not.toContain(authorization.slice(7, 40));
  });
});

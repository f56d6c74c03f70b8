import request from "supertest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { anyone } from "./guard.ts";
import { answerPage, decodeCursor, encodeCursor, PageQuery, pageOf, toPage } from "./page.ts";
import { createTestApp, type TestApp } from "./testing/test-app.ts";

const things = Array.from({ length: 45 }, (_, index) => ({ id: index + 1 }));
const Cursor = z.tuple([z.int()]);

const listThings = endpoint({
  method: "get",
  path: "/things",
  summary: "List things",
  guard: anyone,
  query: PageQuery.extend({ kind: z.string().optional() }),
  reply: { status: 200, body: pageOf(z.object({ id: z.int() })) },
  handle({ query, url }) {
    const [after] = query.after ? decodeCursor(query.after, Cursor) : [0];
    const found = things.filter(({ id }) => id > after).slice(0, query.limit + 1);
    return answerPage(
      toPage(found, query.limit, ({ id }) => [id]),
      url,
    );
  },
});

let example: TestApp;
beforeAll(async () => {
  example = await createTestApp([listThings]);
});
afterAll(() => example.close());

const list = (query: string) => request(example.app).get(`/things${query}`);
const nextOf = (response: request.Response) =>
  /^<([^>]+)>; rel="next"$/.exec(response.headers.link ?? "")?.[1];

describe("a list", () => {
  it("is walked whole by its Link headers, each item once, the query kept", async () => {
    const seen: number[] = [];
    let path: string | undefined = "?kind=a%20b&limit=10";
    for (let pages = 0; path !== undefined && pages < 10; pages += 1) {
      const page = await list(path);
      expect(page.status).toBe(200);
      seen.push(...page.body.items.map(({ id }: { id: number }) => id));
      const next: string | undefined = nextOf(page);
      if (next) expect(next).toMatch(/^\/things\?kind=a\+b&limit=10&after=[\w-]+$/);
      path = next?.replace("/things", "");
    }
    expect(seen).toEqual(things.map(({ id }) => id));
  });

  it("is walked whole by its cursors too", async () => {
    const first = await list("");
    const second = await list(`?after=${first.body.nextCursor}&limit=25`);
    expect(first.body.items).toHaveLength(20);
    expect(second.body.items).toHaveLength(25);
    expect(second.body.nextCursor).toBeNull();
    expect(second.headers.link).toBeUndefined();
  });

  it.each(["0", "101", "-1", "1.5", "a", "", " ", "1&limit=2"])(
    "refuses the limit '%s' (400)",
    async (limit) => {
      const refused = await list(`?limit=${limit.replace(" ", "%20")}`);
      expect(refused.status).toBe(400);
      expect(refused.body.errors).toMatchObject([{ in: "query", field: "limit" }]);
    },
  );

  it.each([
    ["garbage", "garbage"],
    ["nothing", ""],
    ["another list's", encodeCursor(["2026-01-01T00:00:00Z", "id"])],
    ["an operator", Buffer.from('[{"$gt":0}]').toString("base64url")],
    ["no list", Buffer.from("7").toString("base64url")],
    ["deep", Buffer.from("[".repeat(300)).toString("base64url")],
    ["too long", "a".repeat(513)],
  ])("refuses a cursor that is %s (400)", async (_, cursor) => {
    const refused = await list(`?after=${cursor}`);
    expect(refused.status).toBe(400);
    expect(refused.body.errors).toMatchObject([{ in: "query", field: "after" }]);
  });
});

describe("a cursor", () => {
  it("comes back as it went, whatever is in it", () => {
    const key = ["2026-01-01T00:00:00.000Z", "ü/+?=&", 7] as const;
    const cursor = encodeCursor(key);
    expect(cursor).toMatch(/^[\w-]+$/);
    expect(decodeCursor(cursor, z.tuple([z.string(), z.string(), z.number()]))).toEqual(key);
  });
});

import request from "supertest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { answer, endpoint } from "./endpoint.ts";
import { anyone } from "./guard.ts";
import { createTestApp, type TestApp } from "./testing/test-app.ts";

const Order = z.object({
  item: z.string(),
  count: z.int().min(1),
  to: z.strictObject({ city: z.string(), street: z.string().optional() }).optional(),
  labels: z.array(z.string()).default([]),
});
const handled: unknown[] = [];

const endpoints = [
  endpoint({
    method: "post",
    path: "/orders/:shopId",
    summary: "Order",
    guard: anyone,
    params: z.object({ shopId: z.uuid() }),
    query: z.object({ dry: z.enum(["yes", "no"]).optional(), limit: z.coerce.number().optional() }),
    body: Order,
    reply: { status: 201, body: z.object({ item: z.string(), inner: z.object({ a: z.int() }) }) },
    handle({ body }) {
      handled.push(body);
      return { item: body.item, inner: { a: 1, hash: "hidden" }, passwordHash: "hidden" };
    },
  }),
  endpoint({
    method: "post",
    path: "/loose",
    summary: "Take any field",
    guard: anyone,
    body: z.looseObject({ item: z.string() }),
    reply: { status: 200, body: z.array(z.string()), otherwise: { 201: "Made" } },
    handle: ({ body }) => answer(Object.keys(body), { status: 201 }),
  }),
];

let example: TestApp;
beforeAll(async () => {
  example = await createTestApp(endpoints);
});
afterAll(() => example.close());

const shop = "/orders/6f1ed002-ab59-4d0c-8d42-6cb8e7f4b2f1";
const order = (body: unknown, path = shop) =>
  request(example.app)
    .post(path)
    .set("Content-Type", "application/json")
    .send(typeof body === "string" ? body : JSON.stringify(body));

/** `in.field` of each error, as the refusal names them. */
const wrong = (response: request.Response) => {
  expect(response.status).toBe(400);
  expect(response.body.code).toBe("invalid-request");
  return response.body.errors.map(
    (error: { in: string; field: string }) => `${error.in}.${error.field}`,
  );
};

describe("a request", () => {
  it("reaches the handler checked, with its defaults", async () => {
    await order({ item: "tea", count: 2 });
    expect(handled.at(-1)).toEqual({ item: "tea", count: 2, labels: [] });
  });

  it("names every wrong field of every part at once (400)", async () => {
    const refused = await order(
      { item: 1, count: "2", to: { city: null, zip: 1 }, labels: ["a", 7], extra: true },
      "/orders/no-uuid?dry=maybe&other=1",
    );
    expect(wrong(refused).sort()).toEqual([
      "body.count",
      "body.extra",
      "body.item",
      "body.labels.1",
      "body.to.city",
      "body.to.zip",
      "path.shopId",
      "query.dry",
      "query.other",
    ]);
    expect(refused.body.errors.every(({ detail }: { detail: string }) => detail)).toBe(true);
  });

  it.each([
    ["an operator", { $gt: "" }],
    ["an array", ["tea"]],
    ["a number", 7],
    ["null", null],
    ["true", true],
    ["an object with a toString", { toString: "tea" }],
  ])("with %s where a string is expected is refused (400)", async (_, item) => {
    expect(wrong(await order({ item, count: 1 }))).toEqual(["body.item"]);
  });

  it.each([
    ['{"item":"tea","count":1,"__proto__":{"isAdmin":true}}', "body.__proto__"],
    ['{"item":"tea","count":1,"constructor":{"prototype":{}}}', "body.constructor"],
    ['{"item":"tea","count":1,"toString":1}', "body.toString"],
    ['{"item":"tea","count":1,"$where":"1"}', "body.$where"],
    ['{"item":"tea","count":1,"to":{"city":"a","__proto__":{}}}', "body.to.__proto__"],
  ])("with an unknown field is refused: %s (400)", async (body, field) => {
    expect(wrong(await order(body))).toEqual([field]);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  it.each([["[]"], ["null"], ['"tea"'], ["7"]])(
    "whose body is %s is refused (400)",
    async (body) => {
      expect(wrong(await order(body))).toEqual(["body."]);
    },
  );

  it("without a body has every required field missing (400)", async () => {
    expect(wrong(await order(""))).toEqual(["body.item", "body.count"]);
  });

  it.each([
    ['{"item":"tea \\ud800","count":1}', "body.item"],
    ['{"item":"tea","count":1,"labels":["a","\\udc00b"]}', "body.labels.1"],
  ])("with a text that no store can keep is refused: %s (400)", async (body, field) => {
    expect(wrong(await order(body))).toEqual([field]);
  });

  it("with a whole emoji is taken", async () => {
    expect((await order('{"item":"tea \\ud83c\\udf75","count":1}')).status).toBe(201);
  });

  it.each([
    ["dry=yes&dry=no", "query.dry"],
    ["limit=1&limit=2", "query.limit"],
    ["dry[$ne]=yes", "query.dry[$ne]"],
    ["__proto__=1", "query.__proto__"],
    ["constructor=1", "query.constructor"],
    ["limit=abc", "query.limit"],
  ])("with the query %s is refused (400)", async (query, field) => {
    expect(wrong(await order({ item: "tea", count: 1 }, `${shop}?${query}`))).toEqual([field]);
  });

  it("with thousands of wrong fields gets an answer of a bounded size", async () => {
    const fields = Array.from({ length: 9_000 }, (_, index) => [`f${index}`, 1]);
    const refused = await order({ item: "tea", count: 1, ...Object.fromEntries(fields) });
    expect(wrong(refused)).toHaveLength(100);
    expect(refused.text.length).toBeLessThan(10_000);
  });

  it("may carry unknown fields where the schema says so, prototypes untouched", async () => {
    const taken = await order('{"item":"tea","more":1,"__proto__":{"isAdmin":true}}', "/loose");
    expect(taken.status).toBe(201);
    expect(taken.body).toEqual(expect.arrayContaining(["item", "more"]));
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });
});

describe("a reply", () => {
  it("never holds a field that its schema does not name", async () => {
    const { text, body } = await order({ item: "tea", count: 1 });
    expect(body).toEqual({ item: "tea", inner: { a: 1 } });
    expect(text).not.toContain("hidden");
  });
});

import { randomUUID } from "node:crypto";
import { startTestService, type TestService } from "@portico/dev-env";
import type { Express } from "express";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createPayments } from "../app.ts";
import { migrations } from "../migrations.ts";
import { toMonth } from "./month.ts";
import {
  createPaymentStore,
  filterOf,
  newestFirst,
  type PaymentQuestion,
} from "./payment-store.ts";

const userId = randomUUID();

let payments: TestService<Express>;
let authorization: string;

const submit = async (timestamp: string, currency = "EUR", payer = userId) => {
  const id = randomUUID();
  const submitted = await request(payments.app)
    .post("/payments")
    .set("Authorization", await payments.bearer({ sub: payer }))
    .send({ id, userId: payer, timestamp, description: "Rent", currency, amount: 1 });
  expect(submitted.status).toBe(201);
  return id;
};

const list = (query: string) =>
  request(payments.app).get(`/payments${query}`).set("Authorization", authorization);

const idsOf = (response: request.Response) =>
  response.body.items.map(({ id }: { id: string }) => id);

const paid: string[] = [];

beforeAll(async () => {
  payments = await startTestService(inject("stores"), migrations, ({ mongo, ...parts }) =>
    createPayments({ payments: createPaymentStore(mongo), ...parts }),
  );
  authorization = await payments.bearer({ sub: userId });
  paid.push(
    await submit("2026-01-31T23:59:59.999Z"),
    await submit("2026-02-01T00:00:00Z", "USD"),
    await submit("2026-02-28T23:59:59.999Z"),
    await submit("2026-03-01T00:00:00Z"),
    await submit("2026-03-01T00:00:00.001Z", "USD"),
  );
  paid.reverse();
  await submit("2026-02-10T00:00:00Z", "EUR", randomUUID());
});

afterAll(() => payments.stop());

describe("GET /payments", () => {
  it("lists the caller's own payments only, newest first", async () => {
    const page = await list("");
    expect(page.status).toBe(200);
    expect(idsOf(page)).toEqual(paid);
    expect(page.body.nextCursor).toBeNull();
    expect(page.headers.link).toBeUndefined();
  });

  it("filters by month, in UTC and to the millisecond", async () => {
    expect(idsOf(await list("?month=2026-02"))).toEqual([paid[2], paid[3]]);
    expect(idsOf(await list("?month=2025-12"))).toEqual([]);
  });

  it("filters by currency, and by both", async () => {
    expect(idsOf(await list("?currency=USD"))).toEqual([paid[0], paid[3]]);
    expect(idsOf(await list("?currency=USD&month=2026-02"))).toEqual([paid[3]]);
  });

  it("pages, and stays stable while payments are added", async () => {
    const first = await list("?limit=2&month=2026-03");
    const firstOfAll = await list("?limit=2");
    const late = await submit("2026-04-01T00:00:00Z");
    const second = await list(`?limit=2&after=${firstOfAll.body.nextCursor}`);
    expect(idsOf(first)).toEqual(paid.slice(0, 2));
    expect(first.body.nextCursor).toBeNull();
    expect([...idsOf(firstOfAll), ...idsOf(second)]).toEqual(paid.slice(0, 4));
    expect(firstOfAll.headers.link).toContain('rel="next"');
    expect(idsOf(await list("?limit=1"))).toEqual([late]);
  });

  it("keeps payments of the same instant apart by their ids", async () => {
    const ids = await Promise.all(
      Array.from({ length: 5 }, () => submit("2024-06-01T00:00:00Z", "CHF")),
    );
    const seen: string[] = [];
    let next = "/payments?limit=2&currency=CHF";
    while (next) {
      const page = await request(payments.app).get(next).set("Authorization", authorization);
      seen.push(...idsOf(page));
      next = /<(.*)>/.exec(page.headers.link ?? "")?.[1] ?? "";
    }
    expect(seen).toEqual(ids.sort().reverse());
  });

  it.each([
    ["month=2026-13", "month"],
    ["month=March", "month"],
    ["month=2026-01&month=2026-02", "month"],
    ["currency=EURO", "currency"],
    ["currency[$gt]=", "currency[$gt]"],
    ["limit=0", "limit"],
    ["limit=101", "limit"],
    ["after=nonsense", "after"],
    ["userId=somebody", "userId"],
  ])("names what is wrong in ?%s (400)", async (query, field) => {
    const refused = await list(`?${query}`);
    expect(refused.status).toBe(400);
    expect(refused.body.errors.map((error: { field: string }) => error.field)).toEqual([field]);
  });

  it("refuses a caller without a token (401), or without payments:read (403)", async () => {
    expect((await request(payments.app).get("/payments")).status).toBe(401);
    const token = await payments.bearer({ sub: userId, scope: "payments:write" });
    expect((await request(payments.app).get("/payments").set("Authorization", token)).status).toBe(
      403,
    );
  });
});

type Plan = {
  queryPlanner: { winningPlan: unknown };
  executionStats: { totalDocsExamined: number; nReturned: number };
};

describe("listing payments", () => {
  const month = toMonth("2026-02");
  const position = { timestamp: new Date("2026-02-20T00:00:00Z"), id: randomUUID() };

  it.each<[string, Omit<PaymentQuestion, "userId" | "limit">]>([
    ["all", {}],
    ["a month", { month }],
    ["a currency", { currency: "EUR" }],
    ["a currency in a month", { month, currency: "EUR" }],
    ["a further page", { position }],
    ["a further page of a currency in a month", { month, currency: "EUR", position }],
  ])("asks an index for %s: no scan, no sorting in memory", async (_, question) => {
    const plan = (await payments.mongo
      .model("Payment")
      .find(filterOf({ userId, limit: 20, ...question }))
      .sort(newestFirst)
      .limit(21)
      .explain("executionStats")) as unknown as Plan;
    const stages = JSON.stringify(plan.queryPlanner.winningPlan);
    expect(stages).toContain('"IXSCAN"');
    expect(stages).not.toMatch(/"(COLLSCAN|SORT)"/);
    expect(plan.executionStats.totalDocsExamined).toBeLessThanOrEqual(
      plan.executionStats.nReturned + 1,
    );
  });
});

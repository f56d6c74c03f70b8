import { randomUUID } from "node:crypto";
import { startTestService, type TestService } from "@portico/dev-env";
import type { Express } from "express";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createPayments } from "../app.ts";
import { migrations } from "../migrations.ts";
import { createPaymentStore } from "./payment-store.ts";

const userId = randomUUID();
const other = randomUUID();

let payments: TestService<Express>;
let authorization: string;
let otherAuthorization: string;

beforeAll(async () => {
  payments = await startTestService(inject("stores"), migrations, ({ mongo, ...parts }) =>
    createPayments({ payments: createPaymentStore(mongo), ...parts }),
  );
  authorization = await payments.bearer({ sub: userId });
  otherAuthorization = await payments.bearer({ sub: other });
});

afterAll(() => payments.stop());

const rent = (fields: Record<string, unknown> = {}) => ({
  id: randomUUID(),
  userId,
  timestamp: "2026-03-01T09:30:00.000Z",
  description: "Rent",
  currency: "EUR",
  amount: 125_000,
  ...fields,
});

const submit = (body: unknown, token = authorization) =>
  request(payments.app)
    .post("/payments")
    .set("Authorization", token)
    .send(body as object);

const read = (id: string) =>
  request(payments.app).get(`/payments/${id}`).set("Authorization", authorization);

const wrongFields = (response: request.Response) =>
  response.body.errors.map((error: { field: string }) => error.field);

describe("POST /payments", () => {
  it("answers the payment and its place (201)", async () => {
    const payment = rent();
    const submitted = await submit(payment);
    expect(submitted.status).toBe(201);
    expect(submitted.body).toEqual(payment);
    expect(submitted.headers.location).toBe(`/payments/${payment.id}`);
    expect((await read(payment.id)).body).toEqual(payment);
  });

  it("keeps time in UTC, and ids in lower case", async () => {
    const id = randomUUID();
    const submitted = await submit(
      rent({ id: id.toUpperCase(), timestamp: "2026-03-01T10:30:00+01:00" }),
    );
    expect(submitted.body).toMatchObject({ id, timestamp: "2026-03-01T09:30:00.000Z" });
  });

  it.each(["JPY", "BHD", "USD"])("accepts minor units of %s", async (currency) => {
    expect((await submit(rent({ currency, amount: 1 }))).status).toBe(201);
  });

  it("answers the same payment when it is submitted again (200)", async () => {
    const payment = rent({ description: " Rent in München " });
    const first = await submit(payment);
    const again = await submit({ ...payment, timestamp: "2026-03-01T10:30:00+01:00" });
    expect(again.status).toBe(200);
    expect(again.body).toEqual(first.body);
    expect(again.headers.location).toBe(`/payments/${payment.id}`);
  });

  it.each([
    ["timestamp", "2026-03-01T09:30:00.001Z"],
    ["description", "rent"],
    ["currency", "USD"],
    ["amount", 125_001],
  ])("refuses another %s under the same id, and changes nothing (409)", async (field, value) => {
    const payment = rent();
    await submit(payment);
    const refused = await submit({ ...payment, [field]: value });
    expect(refused.status).toBe(409);
    expect(refused.body.code).toBe("payment-differs");
    expect((await read(payment.id)).body).toEqual(payment);
  });

  it("refuses an id of somebody else's payment without a word about it (409)", async () => {
    const theirs = rent({ userId: other, description: "Confidential" });
    await submit(theirs, otherAuthorization);
    const refused = await submit({ ...theirs, userId });
    expect(refused.status).toBe(409);
    expect(refused.body.code).toBe("payment-differs");
    expect(refused.text).not.toContain(other);
    expect((await read(theirs.id)).status).toBe(404);
  });

  it("keeps one payment, however many submit it at once", async () => {
    const payment = rent();
    const answers = await Promise.all(Array.from({ length: 20 }, () => submit(payment)));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array(19).fill(200), 201]);
    expect(answers.every(({ body }) => body.id === payment.id)).toBe(true);
  });

  it("lets one of several racing contents win, and tells the others (409)", async () => {
    const payment = rent();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => submit({ ...payment, amount: index + 1 })),
    );
    const winners = answers.filter(({ status }) => status === 201);
    expect(winners).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(9);
    expect((await read(payment.id)).body).toEqual(winners[0]?.body);
  });

  const everyField = ["id", "userId", "timestamp", "description", "currency", "amount"];
  const operators = Object.fromEntries(everyField.map((field) => [field, { $gt: "" }]));

  it.each([
    ["nothing", {}, everyField],
    ["operators", operators, everyField],
    ["unknown fields", rent({ _id: "a", reported: true }), ["_id", "reported"]],
    ["an id that is not a UUID v4", rent({ id: "018f4e5a-7c3b-7d2e-8f1a-0b2c3d4e5f60" }), ["id"]],
    ["a date alone", rent({ timestamp: "2026-03-01" }), ["timestamp"]],
    ["a local time", rent({ timestamp: "2026-03-01T09:30:00" }), ["timestamp"]],
    ["a time without seconds", rent({ timestamp: "2026-03-01T09:30Z" }), ["timestamp"]],
    ["a day that never was", rent({ timestamp: "2026-02-29T09:30:00Z" }), ["timestamp"]],
    ["a time long ago", rent({ timestamp: "1066-10-14T09:00:00Z" }), ["timestamp"]],
    ["a time far ahead", rent({ timestamp: "9999-12-31T23:59:59-23:59" }), ["timestamp"]],
    ["blank text", rent({ description: "  " }), ["description"]],
    ["long text", rent({ description: "a".repeat(201) }), ["description"]],
    ["half a character", rent({ description: "\ud800" }), ["description"]],
    ["a currency that does not exist", rent({ currency: "XQQ" }), ["currency"]],
    ["a currency in lower case", rent({ currency: "eur" }), ["currency"]],
    ["a fraction", rent({ amount: 12.5 }), ["amount"]],
    ["a text as amount", rent({ amount: "1250" }), ["amount"]],
    ["nothing paid", rent({ amount: 0 }), ["amount"]],
    ["a negative amount", rent({ amount: -1 }), ["amount"]],
    ["an amount that overflows", rent({ amount: 1e300 }), ["amount"]],
    ["an amount beyond any bill", rent({ amount: 1_000_000_000_000 }), ["amount"]],
    ["an array", [rent()], [""]],
  ])("names each wrong field of %s (400)", async (_, body, fields) => {
    const refused = await submit(body);
    expect(refused.status).toBe(400);
    expect(refused.body.code).toBe("invalid-request");
    expect([...new Set(wrongFields(refused))]).toEqual(fields);
  });

  it("refuses a body that is not JSON (400)", async () => {
    const refused = await request(payments.app)
      .post("/payments")
      .set({ Authorization: authorization, "Content-Type": "application/json" })
      .send('{"id":');
    expect(refused.status).toBe(400);
    expect(refused.body.detail).toBe("The body is not valid JSON.");
  });

  it("refuses a caller without a token (401)", async () => {
    expect((await request(payments.app).post("/payments").send(rent())).status).toBe(401);
  });

  it("refuses a payment for another account (403)", async () => {
    const refused = await submit(rent({ userId: other }));
    expect(refused.status).toBe(403);
    expect(refused.body.code).toBe("forbidden");
  });

  it("refuses a caller without payments:write (403)", async () => {
    const refused = await submit(
      rent(),
      await payments.bearer({ sub: userId, scope: "payments:read" }),
    );
    expect(refused.status).toBe(403);
    expect(refused.body.detail).toContain("payments:write");
  });

  it("refuses a body that is too large (413)", async () => {
    expect((await submit(rent({ description: "a".repeat(200_000) }))).status).toBe(413);
  });

  it("refuses another content type (415)", async () => {
    const refused = await request(payments.app)
      .post("/payments")
      .set({ Authorization: authorization, "Content-Type": "text/plain" })
      .send("rent");
    expect(refused.status).toBe(415);
    expect(refused.headers.accept).toBe("application/json");
  });

  it("has no other methods (405)", async () => {
    const refused = await request(payments.app)
      .delete("/payments")
      .set("Authorization", authorization);
    expect(refused.status).toBe(405);
    expect(refused.headers.allow).toBe("POST, GET, HEAD");
  });
});

describe("GET /payments/:paymentId", () => {
  it("answers 404 for somebody else's payment, byte for byte as for a missing one", async () => {
    const theirs = rent({ userId: other });
    await submit(theirs, otherAuthorization);
    const [hidden, missing] = await Promise.all([read(theirs.id), read(randomUUID())]);
    expect(hidden.status).toBe(404);
    const { traceId: _, ...hiddenBody } = hidden.body;
    const { traceId: __, ...missingBody } = missing.body;
    expect(hiddenBody).toEqual(missingBody);
  });

  it.each(["1", "018f4e5a-7c3b-7d2e-8f1a-0b2c3d4e5f60", "%7B%22$gt%22:%22%22%7D"])(
    "names a malformed id: %s (400)",
    async (id) => {
      const refused = await read(id);
      expect(refused.status).toBe(400);
      expect(wrongFields(refused)).toEqual(["paymentId"]);
    },
  );

  it("refuses a caller without payments:read (403)", async () => {
    const refused = await request(payments.app)
      .get(`/payments/${randomUUID()}`)
      .set("Authorization", await payments.bearer({ sub: userId, scope: "openid" }));
    expect(refused.status).toBe(403);
  });
});

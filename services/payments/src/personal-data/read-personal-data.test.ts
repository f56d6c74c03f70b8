import { randomUUID } from "node:crypto";
import { startTestService, type TestService } from "@portico/dev-env";
import type { Express } from "express";
import request from "supertest";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { createPayments } from "../app.ts";
import { migrations } from "../migrations.ts";
import { createPaymentStore } from "../payments/payment-store.ts";

let service: TestService<Express>;
beforeAll(async () => {
  service = await startTestService(inject("stores"), migrations, ({ mongo, ...parts }) =>
    createPayments({ payments: createPaymentStore(mongo), ...parts }),
  );
});
afterAll(() => service.stop());

const scope = "personal-data:read";

const read = async (claims: Record<string, unknown>, query = "") =>
  request(service.app)
    .get(`/payments/personal-data${query}`)
    .set("Authorization", await service.bearer(claims));

const submit = async (userId: string, description: string, day: number) =>
  request(service.app)
    .post("/payments")
    .set("Authorization", await service.bearer({ sub: userId }))
    .send({
      id: randomUUID(),
      userId,
      timestamp: `2026-03-0${day}T09:30:00Z`,
      description,
      currency: "EUR",
      amount: 95_000,
    })
    .expect(201);

it("answers the caller's own payments, page by page, and nobody else's (200)", async () => {
  const [sub, other] = [randomUUID(), randomUUID()];
  for (const day of [1, 2, 3]) await submit(sub, `Rent ${day}`, day);
  await submit(other, "another's", 4);
  const first = await read({ sub, scope }, "?limit=2");
  const second = await read({ sub, scope }, `?limit=2&after=${first.body.nextCursor}`);
  expect([first.status, second.body.nextCursor]).toEqual([200, null]);
  const items = [...first.body.items, ...second.body.items];
  expect(items.map(({ description }) => description)).toEqual(["Rent 3", "Rent 2", "Rent 1"]);
});

it("needs the scope that only auth gets, for a person's export (403), and a token (401)", async () => {
  expect((await read({})).status).toBe(403);
  await request(service.app).get("/payments/personal-data").expect(401);
});

import { randomUUID } from "node:crypto";
import {
  openEventStream,
  startTestService,
  type TestEventStream,
  type TestService,
} from "@portico/dev-env";
import type { Express } from "express";
import request from "supertest";
import { afterAll, beforeAll, expect, inject, it, vi } from "vitest";
import { createPayments, eventHandlers } from "../app.ts";
import { migrations } from "../migrations.ts";
import { createPaymentStore } from "../payments/payment-store.ts";

let service: TestService<Express>;
let events: TestEventStream;

beforeAll(async () => {
  service = await startTestService(inject("stores"), migrations, ({ mongo, ...parts }) =>
    createPayments({ payments: createPaymentStore(mongo), ...parts }),
  );
  const payments = createPaymentStore(service.mongo);
  events = openEventStream("payments", service, ["auth"], (outbox) =>
    eventHandlers(payments, outbox),
  );
});

afterAll(async () => {
  await events.close();
  await service.stop();
});

const submit = async (userId: string, description: string) =>
  request(service.app)
    .post("/payments")
    .set("Authorization", await service.bearer({ sub: userId }))
    .send({
      id: randomUUID(),
      userId,
      timestamp: "2026-03-01T09:30:00Z",
      description,
      currency: "EUR",
      amount: 95_000,
    })
    .expect(201);

it("removes every payment of an erased account, nobody else's, and says so", async () => {
  const [leaving, staying] = [randomUUID(), randomUUID()];
  for (const description of ["Rent", "Phone"]) await submit(leaving, description);
  await submit(staying, "Water");

  await events.say("auth", "account-erased", { accountId: leaving, final: true });
  await vi.waitFor(
    async () =>
      expect(await events.saidBy("payments")).toMatchObject([
        { type: "dev.portico.payments.account-erased", data: { accountId: leaving, final: true } },
      ]),
    { timeout: 8_000 },
  );
  const kept = await service.mongo.collection("payments").find().toArray();
  expect(kept.map(({ userId, description }) => [userId, description])).toEqual([
    [staying, "Water"],
  ]);
});

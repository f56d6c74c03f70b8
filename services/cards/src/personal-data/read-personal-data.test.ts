import { startTestService, type TestService } from "@portico/dev-env";
import type { Express } from "express";
import request from "supertest";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { createCards } from "../app.ts";
import type { CardNetwork } from "../card-network/card-network.ts";
import { migrations } from "../migrations.ts";

/** Nothing is to be asked of it. */
const noNetwork: CardNetwork = {
  list: () => Promise.reject(new Error("asked")),
  find: () => Promise.reject(new Error("asked")),
};

let service: TestService<Express>;
beforeAll(async () => {
  service = await startTestService(inject("stores"), migrations, (parts) =>
    createCards({ network: noNetwork, ...parts }),
  );
});
afterAll(() => service.stop());

const read = async (claims: Record<string, unknown>) =>
  request(service.app)
    .get("/cards/personal-data")
    .set("Authorization", await service.bearer(claims));

it("answers that nothing is held: cards are the organisation's (200)", async () => {
  const { status, body } = await read({ scope: "personal-data:read" });
  expect([status, body]).toEqual([200, { items: [], nextCursor: null }]);
});

it("needs the scope that only auth gets, for a person's export (403), and a token (401)", async () => {
  expect((await read({})).status).toBe(403);
  await request(service.app).get("/cards/personal-data").expect(401);
});

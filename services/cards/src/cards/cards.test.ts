import { startTestService, type TestService } from "@portico/dev-env";
import { createExtend, type Extend } from "@portico/sandboxes";
import { Secret } from "@portico/service-kit";
import type { Express } from "express";
import request from "supertest";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { createCards } from "../app.ts";
import { createExtendClient } from "../card-network/extend-client.ts";
import { createExtendNetwork } from "../card-network/extend-network.ts";
import { migrations } from "../migrations.ts";
import type { Card } from "./card.ts";

const key = { apiKey: "test-api-key", apiSecret: "test-api-secret" };
const deadlineMs = 400;

let extend: Extend;
let cards: TestService<Express>;
let authorization: string;

const startCards = (secret = key.apiSecret) =>
  startTestService(inject("stores"), migrations, ({ logger, metrics, ...parts }) =>
    createCards({
      network: createExtendNetwork(
        createExtendClient({
          url: extend.url,
          apiKey: new Secret(key.apiKey),
          apiSecret: new Secret(secret),
          logger,
          metrics,
          deadlineMs,
        }),
      ),
      logger,
      metrics,
      ...parts,
    }),
  );

beforeAll(async () => {
  extend = await createExtend(key);
  cards = await startCards();
  authorization = await cards.bearer();
});

beforeEach(() => extend.reset());

afterAll(() => Promise.all([cards.stop(), extend.close()]));

const read = (path: string, token = authorization) =>
  request(cards.app).get(path).set("Authorization", token);

const wrongFields = (response: request.Response) =>
  response.body.errors.map((error: { field: string }) => error.field);

/** By the links that the pages give. */
async function readAll(path: string): Promise<Card[]> {
  const found: Card[] = [];
  let next = path;
  while (next) {
    const page = await read(next);
    expect(page.status).toBe(200);
    found.push(...page.body.items);
    next = /<(.*)>/.exec(page.headers.link ?? "")?.[1] ?? "";
  }
  return found;
}

describe("GET /cards", () => {
  it("answers what may be known of each card, and nothing else (200)", async () => {
    const page = await read("/cards?limit=1");
    expect(page.status).toBe(200);
    expect(page.body.items).toEqual([
      {
        id: expect.stringMatching(/^vc_\w{22}$/),
        displayName: expect.any(String),
        status: expect.stringMatching(/^[A-Z]+$/),
        limitCents: expect.any(Number),
        balanceCents: expect.any(Number),
        last4: expect.stringMatching(/^\d{4}$/),
      },
    ]);
  });

  it.each([1, 7, 30, 100])("pages through every card once, %i at a time", async (limit) => {
    const all = await readAll(`/cards?limit=${limit}`);
    expect(all).toHaveLength(30);
    expect(new Set(all.map(({ id }) => id)).size).toBe(30);
  });

  it.each([
    ["limit=0", "limit"],
    ["limit=101", "limit"],
    ["after=nonsense", "after"],
    ["status=ACTIVE", "status"],
    ["limit[$gt]=1", "limit[$gt]"],
  ])("names what is wrong in ?%s (400)", async (query, field) => {
    const refused = await read(`/cards?${query}`);
    expect(refused.status).toBe(400);
    expect(wrongFields(refused)).toEqual([field]);
    expect(extend.counters().requests).toBe(0);
  });

  it("refuses another page size in the middle: cards would be skipped (400)", async () => {
    const { body } = await read("/cards?limit=5");
    const refused = await read(`/cards?limit=6&after=${body.nextCursor}`);
    expect(refused.status).toBe(400);
    expect(wrongFields(refused)).toEqual(["limit"]);
  });
});

describe("GET /cards/active", () => {
  it("answers active cards only (200)", async () => {
    const active = await readAll("/cards/active?limit=4");
    const all = await readAll("/cards?limit=100");
    expect(active).toEqual(all.filter(({ status }) => status === "ACTIVE"));
    expect(active.length).toBeGreaterThan(4);
  });
});

describe("GET /cards/:cardId", () => {
  it("answers the card (200)", async () => {
    const [card] = (await read("/cards?limit=1")).body.items;
    const found = await read(`/cards/${card.id}`);
    expect(found.status).toBe(200);
    expect(found.body).toEqual(card);
  });

  it("answers 404 for one that is not there", async () => {
    const missing = await read("/cards/vc_missing");
    expect(missing.status).toBe(404);
    expect(missing.body.code).toBe("not-found");
  });

  it.each(["1", "vc_", "vc_a%2F..%2Ftransactions", "vc_a%3Fstatus=x", "vc_%7B%22$gt%22:1%7D"])(
    "refuses %s before the provider hears of it (400)",
    async (id) => {
      const refused = await read(`/cards/${id}`);
      expect(refused.status).toBe(400);
      expect(wrongFields(refused)).toEqual(["cardId"]);
      expect(extend.counters().requests).toBe(0);
    },
  );
});

describe.each(["/cards", "/cards/active", "/cards/vc_a"])("GET %s", (path) => {
  it("refuses a caller without a token (401)", async () => {
    expect((await request(cards.app).get(path)).status).toBe(401);
  });

  it("refuses a caller without cards:read (403)", async () => {
    const refused = await read(path, await cards.bearer({ scope: "posts:read" }));
    expect(refused.status).toBe(403);
    expect(refused.body.detail).toContain("cards:read");
    expect(extend.counters().requests).toBe(0);
  });

  it("refuses a caller whose address is not verified (403)", async () => {
    const refused = await read(path, await cards.bearer({ email_verified: false }));
    expect(refused.status).toBe(403);
    expect(extend.counters().requests).toBe(0);
  });

  it("has no other methods (405)", async () => {
    const refused = await request(cards.app).post(path).set("Authorization", authorization);
    expect(refused.status).toBe(405);
    expect(refused.headers.allow).toBe("GET, HEAD");
  });

  it.each([
    ["fails", { kind: "error", status: 500 }, 502, "upstream-unavailable", "failed"],
    ["is down", { kind: "error", status: 503 }, 502, "upstream-unavailable", "failed"],
    ["answers garbage", { kind: "garbage" }, 502, "upstream-unavailable", "unreadable"],
    ["answers half of it", { kind: "truncated" }, 502, "upstream-unavailable", "unreadable"],
    [
      "trusts us no more",
      { kind: "revoked", refreshTokens: false },
      502,
      "upstream-unavailable",
      "refused",
    ],
    ["hangs up each time", { kind: "reset" }, 502, "upstream-unavailable", "unreachable"],
    ["takes too long", { kind: "slow", delayMs: 60_000 }, 504, "upstream-timeout", "timeout"],
  ] as const)(
    "says what a caller can do when the provider %s",
    async (_, fault, status, code, outcome) => {
      extend.faults.add(fault);
      const startedAt = performance.now();
      const refused = await read(path);
      expect(refused.status).toBe(status);
      expect(refused.body.code).toBe(code);
      expect(performance.now() - startedAt).toBeLessThan(deadlineMs + 1_000);
      expect(await cards.metrics.registry.metrics()).toMatch(
        new RegExp(`cards_provider_request_duration_seconds_count{.*outcome="${outcome}".*} [1-9]`),
      );
    },
  );

  it("asks once more, and only once more, when the connection breaks", async () => {
    extend.faults.add({ kind: "reset", count: 1 });
    expect((await read(path)).status).toBe(path === "/cards/vc_a" ? 404 : 200);
    extend.reset();
    extend.faults.add({ kind: "reset" });
    await read(path);
    expect(extend.counters().requests).toBe(2);
  });

  it("does not ask again when the provider fails", async () => {
    extend.faults.add({ kind: "error", status: 500 });
    await read(path);
    expect(extend.counters().requests).toBe(1);
  });

  it.each([
    [429, "30"],
    [422, "1"],
  ] as const)(
    "passes on that the provider is asked too much (%i as 503)",
    async (status, retryAfter) => {
      extend.setRateLimit({ requests: 1, perMs: 30_000, status });
      await read(path);
      const refused = await read(path);
      expect(refused.status).toBe(503);
      expect(refused.body.code).toBe("unavailable");
      expect(refused.headers["retry-after"]).toBe(retryAfter);
    },
  );
});

describe("the card network", () => {
  it("is asked with our key, which is refused when it is wrong (502)", async () => {
    const others = await startCards("wrong-secret");
    const refused = await request(others.app)
      .get("/cards")
      .set("Authorization", await others.bearer());
    expect(refused.status).toBe(502);
    await others.stop();
  });

  it("leaves its request id in the log, and neither keys nor cards", async () => {
    const { body } = await read("/cards?limit=100");
    extend.faults.add({ kind: "error", status: 500, count: 1 });
    await read("/cards");
    extend.faults.add({ kind: "garbage", count: 1 });
    await read("/cards");
    const logged = cards.logged();
    expect(logged).toMatch(/"event":"card-network.answered".*"providerRequestId":"[\da-f-]{36}"/);
    expect(logged).not.toContain(key.apiKey);
    expect(logged).not.toContain(key.apiSecret);
    expect(logged).not.toContain(Buffer.from(`${key.apiKey}:${key.apiSecret}`).toString("base64"));
    for (const { displayName, id } of body.items) {
      expect(logged).not.toContain(displayName);
      expect(logged).not.toContain(id);
    }
    expect(logged).not.toContain("Bad gateway");
  });
});

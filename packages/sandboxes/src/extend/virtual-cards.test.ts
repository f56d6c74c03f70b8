import { describe, expect, it } from "vitest";
import {
  type Card,
  type CardAnswer,
  type CardsAnswer,
  type ErrorAnswer,
  openSandbox,
  type Sandbox,
} from "./open-sandbox.ts";

const list = async (sandbox: Sandbox, query = ""): Promise<CardsAnswer> =>
  (await sandbox.get<CardsAnswer>(`/virtualcards?${query}`)).body;

const firstWith = async (sandbox: Sandbox, status: string): Promise<Card> => {
  const [card] = (await list(sandbox, `statuses=${status}`)).virtualCards;
  if (!card) throw new Error(`no ${status} card`);
  return card;
};

async function newCardBody(sandbox: Sandbox) {
  const { body } = await sandbox.get<{ creditCards: { id: string }[] }>("/creditcards");
  return { creditCardId: body.creditCards[0]?.id, displayName: "Travel", balanceCents: 5000 };
}

describe("list", () => {
  it("is the same in every sandbox: thirty cards, every state among them", async () => {
    const [one, other] = await Promise.all(
      [1, 2].map(async () => list(await openSandbox(), "count=50")),
    );

    expect(one).toEqual(other);
    const states = new Set(one?.virtualCards.map((card) => card.status));
    expect([...states].sort()).toEqual(
      ["ACTIVE", "CANCELLED", "CLOSED", "CONSUMED", "EXPIRED", "PENDING"].sort(),
    );
  });

  it("pages from 1, each card once; page 0 is the first, past the end is empty", async () => {
    const sandbox = await openSandbox();
    const pages = await Promise.all(
      [1, 2, 3, 4].map((page) => list(sandbox, `count=10&page=${page}`)),
    );

    expect(pages.map((page) => page.virtualCards.length)).toEqual([10, 10, 10, 0]);
    expect(new Set(pages.flatMap((page) => page.virtualCards.map(({ id }) => id))).size).toBe(30);
    expect(pages[1]?.pagination).toEqual({
      page: 2,
      pageItemCount: 10,
      totalItems: 30,
      numberOfPages: 3,
    });
    expect(await list(sandbox, "count=10&page=0")).toEqual(pages[0]);
  });

  it.each(["statuses=ACTIVE,PENDING", "statuses=ACTIVE&statuses=PENDING"])(
    "filters by %s",
    async (query) => {
      const { virtualCards } = await list(await openSandbox(), `${query}&count=50`);

      expect(virtualCards).toHaveLength(21);
      expect(new Set(virtualCards.map((card) => card.status))).toEqual(
        new Set(["ACTIVE", "PENDING"]),
      );
    },
  );

  it("filters by recipient and by search", async () => {
    const sandbox = await openSandbox();
    const { recipientId } = await firstWith(sandbox, "ACTIVE");
    const ofOne = await list(sandbox, `recipient=${recipientId}`);
    const found = await list(sandbox, "search=CLIENT%20dinner");

    expect(new Set(ofOne.virtualCards.map((card) => card.recipientId))).toEqual(
      new Set([recipientId]),
    );
    expect(found.virtualCards.length).toBeGreaterThan(0);
    for (const card of found.virtualCards) expect(card.displayName).toContain("Client dinner");
  });

  it("sorts by a field, both ways", async () => {
    const sandbox = await openSandbox();
    const query = "sortField=balanceCents&count=50&sortDirection=";
    const up = (await list(sandbox, `${query}ASC`)).virtualCards.map((card) => card.balanceCents);
    const down = (await list(sandbox, `${query}DESC`)).virtualCards.map(
      (card) => card.balanceCents,
    );

    expect(up).toEqual([...up].sort((one, other) => one - other));
    expect(down).toEqual([...up].reverse());
  });

  it.each(["statuses=LOST", "sortField=colour", "page=-1", "count=0", "count=many"])(
    "refuses %s (422) and names it",
    async (query) => {
      const { status, body } = await (await openSandbox()).get<ErrorAnswer>(
        `/virtualcards?${query}`,
      );

      expect(status).toBe(422);
      expect(body.details?.[0]?.field).toContain(query.split("=")[0]);
    },
  );
});

describe("detail", () => {
  it("shows a card whose amounts add up, without its number", async () => {
    const sandbox = await openSandbox();
    const { id } = await firstWith(sandbox, "ACTIVE");
    const { status, body } = await sandbox.get<CardAnswer>(`/virtualcards/${id}`);
    const card = body.virtualCard;

    expect(status).toBe(200);
    expect(card.balanceCents).toBe(card.limitCents - card.spentCents);
    expect(card.validTo).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
    expect(Object.keys(card)).not.toContain("vcn");
    expect(Object.keys(card)).not.toContain("securityCode");
  });

  it("does not know a missing card (404)", async () => {
    expect((await (await openSandbox()).get("/virtualcards/vc_missing")).status).toBe(404);
  });

  it("expires a card when its time is over", async () => {
    const sandbox = await openSandbox();
    const card = await firstWith(sandbox, "ACTIVE");
    sandbox.pass(500 * 24 * 60 * 60_000);

    const { body } = await sandbox.get<CardAnswer>(`/virtualcards/${card.id}`);
    expect(body.virtualCard.status).toBe("EXPIRED");
  });
});

describe("create", () => {
  it("makes an active card with the balance as its limit", async () => {
    const sandbox = await openSandbox();
    const body = { ...(await newCardBody(sandbox)), validTo: "2027-01-31T23:59:59.999Z" };
    const { body: created } = await sandbox.call<CardAnswer>("POST", "/virtualcards", body);

    expect(created.virtualCard).toMatchObject({
      status: "ACTIVE",
      balanceCents: 5000,
      limitCents: 5000,
      spentCents: 0,
      validTo: "2027-01-31T23:59:59.999+0000",
    });
    const read = await sandbox.get<CardAnswer>(`/virtualcards/${created.virtualCard.id}`);
    expect(read.body).toEqual(created);
  });

  it("keeps a recurrence, its times in Extend's own form", async () => {
    const sandbox = await openSandbox();
    const recurrence = {
      balanceCents: 100,
      period: "DAILY",
      interval: 1,
      terminator: "DATE",
      until: "2026-05-01T23:59:59.999Z",
    };
    const body = { ...(await newCardBody(sandbox)), recurs: "true", recurrence };
    const { body: created } = await sandbox.call<CardAnswer>("POST", "/virtualcards", body);

    expect(created.virtualCard.recurrence).toEqual({
      ...recurrence,
      until: "2026-05-01T23:59:59.999+0000",
    });
  });

  it.each<[string, object]>([
    ["balanceCents", { balanceCents: -1 }],
    ["balanceCents", { balanceCents: 10.5 }],
    ["displayName", { displayName: " " }],
    ["recipient", { recipient: "nobody" }],
    ["recurrence", { recurs: true }],
    ["validTo", { validTo: "tomorrow" }],
    ["validTo", { validTo: "+275760-09-12T00:00:00.000Z" }],
    ["validTo", { validFrom: "2026-05-02T00:00:00Z", validTo: "2026-05-01T00:00:00Z" }],
  ])("refuses a wrong %s (422)", async (field, wrong) => {
    const sandbox = await openSandbox();
    const body = { ...(await newCardBody(sandbox)), ...wrong };
    const answer = await sandbox.call<ErrorAnswer>("POST", "/virtualcards", body);

    expect(answer.status).toBe(422);
    expect(answer.body.details?.map((detail) => detail.field)).toEqual([field]);
  });

  it("refuses a body that is not JSON (400) and an unknown credit card (404)", async () => {
    const sandbox = await openSandbox();
    const unknown = { ...(await newCardBody(sandbox)), creditCardId: "cc_missing" };

    expect((await sandbox.call("POST", "/virtualcards", "{")).status).toBe(400);
    expect((await sandbox.call("POST", "/virtualcards", unknown)).status).toBe(404);
  });
});

describe("update", () => {
  it("sets the balance beside what is spent, and leaves what is not named", async () => {
    const sandbox = await openSandbox();
    const card = await firstWith(sandbox, "ACTIVE");
    const { body } = await sandbox.call<CardAnswer>("PUT", `/virtualcards/${card.id}`, {
      balanceCents: 777,
      notes: "new",
    });

    expect(body.virtualCard).toMatchObject({
      balanceCents: 777,
      limitCents: card.spentCents + 777,
      notes: "new",
      displayName: card.displayName,
    });
  });

  it.each(["CANCELLED", "CLOSED", "EXPIRED", "CONSUMED"])(
    "refuses a %s card (422)",
    async (status) => {
      const sandbox = await openSandbox();
      const { id } = await firstWith(sandbox, status);

      expect((await sandbox.call("PUT", `/virtualcards/${id}`, { notes: "x" })).status).toBe(422);
    },
  );
});

describe("cancel and close", () => {
  it("cancels, then closes; again changes nothing", async () => {
    const sandbox = await openSandbox();
    const { id } = await firstWith(sandbox, "ACTIVE");
    const steps = ["cancel", "cancel", "close", "close"];
    const statuses: string[] = [];
    for (const step of steps) {
      const { body } = await sandbox.call<CardAnswer>("PUT", `/virtualcards/${id}/${step}`);
      statuses.push(body.virtualCard.status);
    }

    expect(statuses).toEqual(["CANCELLED", "CANCELLED", "CLOSED", "CLOSED"]);
  });

  it("does not cancel a closed card (422)", async () => {
    const sandbox = await openSandbox();
    const { id } = await firstWith(sandbox, "CLOSED");

    expect((await sandbox.call("PUT", `/virtualcards/${id}/cancel`)).status).toBe(422);
  });
});

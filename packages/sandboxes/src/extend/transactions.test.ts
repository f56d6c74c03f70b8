import { describe, expect, it } from "vitest";
import { defaultAccount } from "./extend.ts";
import {
  bearer,
  type CardAnswer,
  type CardsAnswer,
  openSandbox,
  type ReportAnswer,
  type Sandbox,
  type ShownTransaction,
  type TokenAnswer,
  type TransactionsAnswer,
} from "./open-sandbox.ts";

type EventsAnswer = {
  events: { id: string; type: string; timestamp: string; data: ShownTransaction }[];
  pagination: { page: number; numberOfPages: number };
};

async function activeCard(sandbox: Sandbox) {
  const { body } = await sandbox.get<CardsAnswer>("/virtualcards?statuses=ACTIVE&count=1");
  const [card] = body.virtualCards;
  if (!card) throw new Error("no active card");
  return card;
}

const ofCard = async (sandbox: Sandbox, cardId: string, query = "") =>
  (await sandbox.get<TransactionsAnswer>(`/virtualcards/${cardId}/transactions?${query}`)).body
    .transactions;

const report = async (sandbox: Sandbox, query = "") =>
  (await sandbox.get<ReportAnswer>(`/reports/transactions/v2?${query}`)).body;

const simulate = (sandbox: Sandbox, body: object) =>
  sandbox.call<ShownTransaction>("POST", "/transactions/simulate", body);

const cardNow = async (sandbox: Sandbox, id: string) =>
  (await sandbox.get<CardAnswer>(`/virtualcards/${id}`)).body.virtualCard;

describe("a card's transactions", () => {
  it("come newest first, filtered by status, up to the count", async () => {
    const sandbox = await openSandbox();
    const { id } = await activeCard(sandbox);
    const all = await ofCard(sandbox, id);
    const cleared = await ofCard(sandbox, id, "status=CLEARED,DECLINED&count=2");

    expect(all.length).toBeGreaterThan(2);
    expect(all.map(({ authedAt }) => authedAt)).toEqual(
      all
        .map(({ authedAt }) => authedAt)
        .sort()
        .reverse(),
    );
    expect(cleared).toEqual(
      all.filter(({ status }) => ["CLEARED", "DECLINED"].includes(status)).slice(0, 2),
    );
  });

  it("go on before and after one of them", async () => {
    const sandbox = await openSandbox();
    const { id } = await activeCard(sandbox);
    const all = await ofCard(sandbox, id);

    expect(await ofCard(sandbox, id, `before=${all[0]?.id}`)).toEqual(all.slice(1));
    expect(await ofCard(sandbox, id, `after=${all[2]?.id}`)).toEqual(all.slice(0, 2));
    const time = encodeURIComponent(all[1]?.authedAt ?? "");
    expect(await ofCard(sandbox, id, `before=${time}`)).toEqual(all.slice(2));
  });

  it("are not found for a missing card or mark (404)", async () => {
    const sandbox = await openSandbox();
    const { id } = await activeCard(sandbox);

    expect((await sandbox.get("/virtualcards/vc_x/transactions")).status).toBe(404);
    expect((await sandbox.get(`/virtualcards/${id}/transactions?before=txn_x`)).status).toBe(404);
  });
});

describe("one transaction", () => {
  it("is answered bare", async () => {
    const sandbox = await openSandbox();
    const [first] = (await report(sandbox)).report.transactions;
    const { body } = await sandbox.get<ShownTransaction>(`/transactions/${first?.id}`);

    expect(body).toEqual(first);
  });

  it("is not found when missing (404)", async () => {
    expect((await (await openSandbox()).get("/transactions/txn_missing")).status).toBe(404);
  });
});

describe("report", () => {
  it("holds the two hundred of the seed, page by page, and counts only as far as the next page", async () => {
    const sandbox = await openSandbox();
    const first = await report(sandbox, "perPage=150&page=1");
    const last = await report(sandbox, "count=150&page=2");

    expect(first.pagination).toEqual({
      page: 1,
      pageItemCount: 150,
      totalItems: 151,
      numberOfPages: 2,
    });
    expect(last.pagination).toMatchObject({ totalItems: 50, numberOfPages: 2 });
    const ids = [first, last].flatMap((page) => page.report.transactions.map(({ id }) => id));
    expect(new Set(ids).size).toBe(200);
  });

  it.each([
    "since=2026-02-01&until=2026-02-10&status=CLEARED&status=PENDING",
    "fromDate=2026-02-01&toDate=2026-02-10&statuses=CLEARED,PENDING",
  ])("filters by day and status, in old and new names: %s", async (query) => {
    const { transactions } = (await report(await openSandbox(), `${query}&perPage=500`)).report;

    expect(transactions.length).toBeGreaterThan(5);
    for (const { authedAt, status } of transactions) {
      expect(authedAt.slice(0, 10) >= "2026-02-01" && authedAt.slice(0, 10) <= "2026-02-10").toBe(
        true,
      );
      expect(["CLEARED", "PENDING"]).toContain(status);
    }
  });

  it("filters by card, amount, missing receipt and search", async () => {
    const sandbox = await openSandbox();
    const { id } = await activeCard(sandbox);
    const ofOne = await report(sandbox, `virtualCardId=${id}`);
    const large = await report(
      sandbox,
      "minClearingBillingCents=10000&maxClearingBillingCents=20000",
    );
    const bare = await report(sandbox, "receiptMissing=true");
    const found = await report(sandbox, "search=blue%20bottle");

    expect(new Set(ofOne.report.transactions.map((one) => one.virtualCardId))).toEqual(
      new Set([id]),
    );
    for (const one of large.report.transactions) {
      expect(one.clearingBillingAmountCents).toBeGreaterThanOrEqual(10_000);
      expect(one.clearingBillingAmountCents).toBeLessThanOrEqual(20_000);
    }
    expect(bare.report.transactions.some((one) => one.hasAttachments)).toBe(false);
    expect(new Set(found.report.transactions.map((one) => one.merchantName))).toEqual(
      new Set(["BLUE BOTTLE COFFEE"]),
    );
  });

  it("sorts by amount, both ways", async () => {
    const sandbox = await openSandbox();
    const amounts = async (sort: string) =>
      (await report(sandbox, `sort=${sort}&perPage=200`)).report.transactions.map(
        (one) => one.clearingBillingAmountCents,
      );
    const up = await amounts("amount");

    expect(up).toEqual([...up].sort((one, other) => one - other));
    expect(await amounts("-amount")).toEqual([...up].reverse());
  });

  it.each(["sort=colour", "since=2026-13-01", "until=soon", "status=LOST"])(
    "refuses %s (422)",
    async (query) => {
      const { get } = await openSandbox();

      expect((await get(`/reports/transactions/v2?${query}`)).status).toBe(422);
    },
  );
});

describe("simulated transaction", () => {
  it("is authorised, then settles for another amount; the card's balance follows", async () => {
    const sandbox = await openSandbox();
    const card = await activeCard(sandbox);
    const pending = await simulate(sandbox, {
      type: "AUTHORIZED",
      virtualCardId: card.id,
      amountCents: 300,
    });
    expect(pending.body.status).toBe("PENDING");
    expect((await cardNow(sandbox, card.id)).balanceCents).toBe(card.balanceCents - 300);

    const { id } = pending.body;
    await simulate(sandbox, { type: "SETTLED", transactionId: id, amountCents: 250 });
    expect((await cardNow(sandbox, card.id)).balanceCents).toBe(card.balanceCents - 250);
    const again = await simulate(sandbox, { type: "REVERSED", transactionId: id });
    expect(again.status).toBe(422);
  });

  it("is reversed, and the balance is whole again", async () => {
    const sandbox = await openSandbox();
    const card = await activeCard(sandbox);
    const body = { type: "AUTHORIZED", virtualCardId: card.id, amountCents: 300 };
    const { id } = (await simulate(sandbox, body)).body;
    const reversed = await simulate(sandbox, { type: "REVERSED", transactionId: id });

    expect(reversed.body.status).toBe("AUTH_REVERSAL");
    expect(await cardNow(sandbox, card.id)).toMatchObject({ balanceCents: card.balanceCents });
  });

  it("is declined when the card cannot pay it", async () => {
    const sandbox = await openSandbox();
    const card = await activeCard(sandbox);
    const amountCents = card.balanceCents + 1;
    const { body } = await simulate(sandbox, {
      type: "AUTHORIZED",
      virtualCardId: card.id,
      amountCents,
    });

    expect(body.status).toBe("DECLINED");
    expect((await cardNow(sandbox, card.id)).balanceCents).toBe(card.balanceCents);
  });

  it("refuses a missing amount (422) and a missing card (404)", async () => {
    const sandbox = await openSandbox();
    const { id } = await activeCard(sandbox);
    const statuses = [
      await simulate(sandbox, { type: "AUTHORIZED", virtualCardId: id }),
      await simulate(sandbox, { type: "AUTHORIZED", virtualCardId: "vc_x", amountCents: 1 }),
    ].map(({ status }) => status);

    expect(statuses).toEqual([422, 404]);
  });
});

describe("events", () => {
  it("tell each change as it was then, newest first, from page 0", async () => {
    const sandbox = await openSandbox();
    const card = await activeCard(sandbox);
    const body = { type: "AUTHORIZED", virtualCardId: card.id, amountCents: 300 };
    const { id } = (await simulate(sandbox, body)).body;
    await simulate(sandbox, { type: "SETTLED", transactionId: id });

    const { events, pagination } = (await sandbox.get<EventsAnswer>("/events?count=2")).body;
    expect(events).toMatchObject([
      { type: "transaction.settled", data: { id, status: "CLEARED" } },
      { type: "transaction.authorized", data: { id, status: "PENDING" } },
    ]);
    expect(pagination.page).toBe(0);
    const older = (await sandbox.get<EventsAnswer>("/events?count=2&page=1")).body.events;
    expect(older.map((event) => event.id)).not.toContain(events[1]?.id);
    const one = await sandbox.get<{ event: unknown }>(`/events/${events[0]?.id}`);
    expect(one.body.event).toEqual(events[0]);
  });

  it("are those of the caller's own cards", async () => {
    const account = { ...defaultAccount, email: "sam.duarte@example.com" };
    const sandbox = await openSandbox({ accounts: [account] });
    const accept = { accept: bearer("").accept };
    const { body } = await sandbox.call<TokenAnswer>("POST", "/signin", account, accept);
    const cards = await sandbox.get<CardsAnswer>("/virtualcards?count=50", bearer(body.token));
    const own = new Set(cards.body.virtualCards.map((card) => card.id));

    const { events } = (await sandbox.get<EventsAnswer>("/events", bearer(body.token))).body;
    for (const event of events) expect(own).toContain(event.data.virtualCardId);
  });
});

describe("credit cards", () => {
  it("are listed and read", async () => {
    const sandbox = await openSandbox();
    const { body } = await sandbox.get<{ creditCards: { id: string }[] }>(
      "/creditcards?statuses=ACTIVE",
    );
    const [first] = body.creditCards;

    expect(body.creditCards).toHaveLength(2);
    const one = await sandbox.get<{ creditCard: unknown }>(`/creditcards/${first?.id}`);
    expect(one.body.creditCard).toEqual(first);
    expect((await sandbox.get("/creditcards/cc_x")).status).toBe(404);
  });
});

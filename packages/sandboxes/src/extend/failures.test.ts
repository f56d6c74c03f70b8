import { describe, expect, it } from "vitest";
import { mediaType } from "./contract.ts";
import { defaultAccount } from "./extend.ts";
import {
  bearer,
  type CardsAnswer,
  type ErrorAnswer,
  openSandbox,
  type Sandbox,
  type TokenAnswer,
} from "./open-sandbox.ts";

const order = (sandbox: Sandbox, fault: object) =>
  sandbox.call("POST", "/_sandbox/faults", fault, {});

const statusesOf = async (sandbox: Sandbox, times: number) => {
  const statuses: number[] = [];
  for (let time = 0; time < times; time += 1) {
    statuses.push((await sandbox.get("/virtualcards")).status);
  }
  return statuses;
};

describe("faults", () => {
  it("strike as often as ordered, then the answers are right again", async () => {
    const sandbox = await openSandbox();
    await order(sandbox, { kind: "error", count: 2 });

    expect(await statusesOf(sandbox, 3)).toEqual([500, 500, 200]);
  });

  it("strike only where ordered, with the status ordered", async () => {
    const sandbox = await openSandbox();
    await order(sandbox, { kind: "error", status: 503, path: "/creditcards" });

    expect((await sandbox.get("/virtualcards")).status).toBe(200);
    expect((await sandbox.get("/creditcards")).status).toBe(503);
    expect((await sandbox.get("/creditcards")).status).toBe(503);
  });

  it("slow: the right answer comes late", async () => {
    const sandbox = await openSandbox({ faults: [{ kind: "slow", delayMs: 60, count: 1 }] });
    const startedAt = performance.now();
    const { status } = await sandbox.get("/virtualcards");

    expect(status).toBe(200);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(55);
  });

  it("slow: a client that gives up holds nothing here", async () => {
    const { extend } = await openSandbox({ faults: [{ kind: "slow", delayMs: 600_000 }] });
    const request = fetch(`${extend.url}/virtualcards`, { signal: AbortSignal.timeout(50) });

    await expect(request).rejects.toThrow("timeout");
    await expect.poll(() => extend.counters().brokenOff).toBe(1);
  });

  it("garbage: says JSON and is not", async () => {
    const { extend } = await openSandbox({ faults: [{ kind: "garbage" }] });
    const response = await fetch(`${extend.url}/virtualcards`);

    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toContain("application/json");
    await expect(response.json()).rejects.toThrow(SyntaxError);
  });

  it("truncated: the body ends in the middle", async () => {
    const { extend } = await openSandbox({ faults: [{ kind: "truncated" }] });
    const response = await fetch(`${extend.url}/virtualcards`);

    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow("terminated");
  });

  it("reset: the connection breaks before an answer", async () => {
    const { extend } = await openSandbox({ faults: [{ kind: "reset" }] });

    await expect(fetch(`${extend.url}/virtualcards`)).rejects.toMatchObject({
      cause: { code: "ECONNRESET" },
    });
  });

  it("revoked: the token dies in flight, the refresh token lives", async () => {
    const sandbox = await openSandbox();
    const accept = { accept: mediaType };
    const { body } = await sandbox.call<TokenAnswer>("POST", "/signin", defaultAccount, accept);
    await order(sandbox, { kind: "revoked", count: 1 });
    const statuses = [
      await sandbox.get("/virtualcards", bearer(body.token)),
      await sandbox.get("/virtualcards", bearer(body.token)),
      await sandbox.call("POST", "/renewauth", { refreshToken: body.refreshToken }, accept),
    ].map(({ status }) => status);

    expect(statuses).toEqual([401, 401, 200]);
  });

  it("revoked with its refresh token: only signing in again helps", async () => {
    const sandbox = await openSandbox({
      faults: [{ kind: "revoked", refreshTokens: true, count: 1 }],
    });
    const accept = { accept: mediaType };
    const { body } = await sandbox.call<TokenAnswer>("POST", "/signin", defaultAccount, accept);
    await sandbox.get("/virtualcards", bearer(body.token));
    const { refreshToken } = body;

    expect((await sandbox.call("POST", "/renewauth", { refreshToken }, accept)).status).toBe(401);
    expect((await sandbox.call("POST", "/signin", defaultAccount, accept)).status).toBe(200);
  });

  it("are listed, refused when unknown (422), and cleared", async () => {
    const sandbox = await openSandbox();

    expect((await order(sandbox, { kind: "explode" })).status).toBe(422);
    await order(sandbox, { kind: "reset" });
    expect((await sandbox.get("/_sandbox/faults")).body).toEqual({ faults: [{ kind: "reset" }] });
    await sandbox.call("DELETE", "/_sandbox/faults");
    expect(await statusesOf(sandbox, 1)).toEqual([200]);
  });
});

describe("rate limit", () => {
  it("refuses what is too much (429), says when to come back, and keeps its word", async () => {
    const sandbox = await openSandbox({ rateLimit: { requests: 2, perMs: 3000, status: 429 } });
    expect(await statusesOf(sandbox, 2)).toEqual([200, 200]);
    sandbox.pass(500);
    const refused = await sandbox.get<ErrorAnswer>("/virtualcards");

    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("3");
    sandbox.pass(2500);
    expect(await statusesOf(sandbox, 3)).toEqual([200, 200, 429]);
  });

  it("answers as older clients saw it when asked to (422, no advice)", async () => {
    const sandbox = await openSandbox();
    await sandbox.call("PUT", "/_sandbox/rate-limit", { requests: 1, status: 422 });
    await sandbox.get("/virtualcards");
    const refused = await sandbox.get("/virtualcards");

    expect(refused.status).toBe(422);
    expect(refused.headers.get("retry-after")).toBeNull();
    expect(sandbox.extend.counters().throttled).toBe(1);
  });
});

describe("counters", () => {
  it("tell how a client behaved: by route, by status, in the busiest second", async () => {
    const sandbox = await openSandbox();
    const [card] = (await sandbox.get<CardsAnswer>("/virtualcards?count=1")).body.virtualCards;
    await sandbox.get(`/virtualcards/${card?.id}`);
    sandbox.pass(5000);
    await sandbox.get("/virtualcards/vc_missing");

    const { body } = await sandbox.get("/_sandbox/counters");
    expect(body).toMatchObject({
      requests: 3,
      busiestSecond: 2,
      byRoute: { "GET /virtualcards": 1, "GET /virtualcards/:id": 2 },
      byStatus: { 200: 2, 404: 1 },
    });
  });

  it("reset brings back the seed, and forgets tokens, faults and counts", async () => {
    const sandbox = await openSandbox();
    const cards = async () => (await sandbox.get("/virtualcards?count=50")).body;
    const before = await cards();
    const [card] = (before as CardsAnswer).virtualCards;
    await sandbox.call("PUT", `/virtualcards/${card?.id}/close`);
    await order(sandbox, { kind: "error" });
    await sandbox.call("POST", "/_sandbox/reset");

    expect(sandbox.extend.counters().requests).toBe(0);
    expect(await cards()).toEqual(before);
  });
});

describe("every answer", () => {
  it("carries a request id, refusals too", async () => {
    const sandbox = await openSandbox();
    const answers = await Promise.all([
      sandbox.get("/virtualcards"),
      sandbox.get("/virtualcards", {}),
      sandbox.get("/nothing/here"),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([200, 406, 404]);
    const ids = new Set(answers.map(({ headers }) => headers.get("x-request-id")));
    expect(ids.size).toBe(3);
    expect(ids).not.toContain(null);
  });
});

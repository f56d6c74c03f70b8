import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server as TcpServer,
} from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type FollowedRevocations, followRevocations } from "./follow-revocations.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import type { Revocation, TokenIdentity } from "./revocations.ts";
import { createTestLogger } from "./testing/test-app.ts";

const until = Math.floor(Date.now() / 1000) + 900;
const grant = (id: string): Revocation => ({ kind: "grant", id, until });

/** An issuer over HTTP, that can be started again, fall silent, and be slow. */
class Issuer {
  readonly polls: { after: string; at: number }[] = [];
  connections = 0;
  answer: (response: ServerResponse, body: string) => void = (response, body) => response.end(body);
  #epoch = "first";
  #revoked: Revocation[] = [];
  #waiting: (() => void)[] = [];
  #server: Server | undefined;
  #port = 0;

  async start(): Promise<void> {
    const server = createServer(async (request, response) => {
      const { searchParams } = new URL(request.url ?? "", "http://issuer");
      const after = searchParams.get("after") ?? "";
      this.polls.push({ after, at: performance.now() });
      await this.#waitForMore(after, Number(searchParams.get("waitMs")));
      this.answer(response, JSON.stringify(this.#since(after)));
    });
    server.on("connection", () => {
      this.connections += 1;
    });
    server.listen(this.#port, "127.0.0.1");
    await once(server, "listening");
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const closed = this.#server?.listening ? once(this.#server, "close") : undefined;
    this.#server?.closeAllConnections();
    this.#server?.close();
    await closed;
  }

  /** As after a restart, or at another instance: it has this list, and its own count. */
  become(epoch: string, revoked: Revocation[]): void {
    this.#epoch = epoch;
    this.#revoked = revoked;
    this.#wake();
  }

  revoke(...revocations: Revocation[]): void {
    this.#revoked.push(...revocations);
    this.#wake();
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/revocations`;
  }

  #cursor = () => `${this.#epoch}.${this.#revoked.length}`;

  #since(after: string) {
    const [epoch, seen] = after.split(".");
    const from = epoch === this.#epoch ? Number(seen) : 0;
    return { cursor: this.#cursor(), revocations: this.#revoked.slice(from) };
  }

  async #waitForMore(after: string, waitMs: number): Promise<void> {
    if (after !== this.#cursor()) return;
    const more = new Promise<void>((resolve) => this.#waiting.push(resolve));
    await Promise.race([more, sleep(waitMs)]);
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

let issuer: Issuer;
let metrics: Metrics;
let log: ReturnType<typeof createTestLogger>;
let followed: FollowedRevocations | undefined;

beforeEach(async () => {
  issuer = new Issuer();
  metrics = createMetrics("example");
  log = createTestLogger();
  await issuer.start();
});
afterEach(async () => {
  await followed?.stop();
  followed = undefined;
  await issuer.stop();
});

const follow = (waitMs?: number): FollowedRevocations => {
  followed = followRevocations({ url: issuer.url, logger: log.logger, metrics, waitMs });
  return followed;
};

const ofGrant = (grantId: string): TokenIdentity => ({
  id: undefined,
  subject: "ada",
  accountVersion: 0,
  grantId,
  clientId: "demo",
  issuedAt: 0,
  keyId: undefined,
});

/** Milliseconds until the grant's tokens are refused. */
async function refusedAfterMs(grantId: string): Promise<number> {
  const startedAt = performance.now();
  await vi.waitFor(() => expect(followed?.isRevoked(ofGrant(grantId))).toBe(true), {
    timeout: 5_000,
    interval: 5,
  });
  return performance.now() - startedAt;
}

const isReady = () =>
  follow()
    .check()
    .then(
      () => true,
      () => false,
    );

describe("a service that follows revocations", () => {
  it("is ready when it has the first list, and not before", async () => {
    issuer.revoke(grant("old"));
    expect(await isReady()).toBe(false);
    await vi.waitFor(() => followed?.check());
    expect(followed?.isRevoked(ofGrant("old"))).toBe(true);
    expect(followed?.isRevoked(ofGrant("other"))).toBe(false);
  });

  it("knows of each revocation within a second, over connections that stay", async () => {
    follow();
    await vi.waitFor(() => followed?.check());
    for (const id of ["a", "b", "c", "d", "e"]) {
      issuer.revoke(grant(id));
      expect(await refusedAfterMs(id)).toBeLessThan(1_000);
    }
    expect(issuer.connections).toBeLessThanOrEqual(2);
    expect(issuer.polls.length).toBeLessThan(10);
  });

  it("misses none of many at once", async () => {
    follow();
    const ids = Array.from({ length: 2_000 }, (_, index) => `grant-${index}`);
    for (const id of ids) {
      issuer.revoke(grant(id));
      if (Number(id.split("-")[1]) % 100 === 0) await sleep(1);
    }
    await refusedAfterMs(ids.at(-1) ?? "");
    expect(ids.filter((id) => !followed?.isRevoked(ofGrant(id)))).toEqual([]);
  });

  it("asks again from where it was when nothing happened", async () => {
    issuer.revoke(grant("a"));
    follow(20);
    await vi.waitFor(() => expect(issuer.polls.length).toBeGreaterThan(3));
    expect(issuer.polls.slice(0, 3).map(({ after }) => after)).toEqual(["", "first.1", "first.1"]);
  });

  it("leaves out what it does not understand, and knows the rest", async () => {
    issuer.revoke({ kind: "planet", id: "mars", until } as never, grant("a"));
    follow();
    await refusedAfterMs("a");
    expect(log.lines("revocations.not-understood")).toHaveLength(1);
  });

  it("is measured: how many there are, and how old the list is", async () => {
    issuer.revoke(grant("a"), grant("b"));
    follow();
    expect(await metrics.registry.metrics()).toMatch(/^revocations_age_seconds{.*} \+Inf$/m);
    await refusedAfterMs("b");
    const measured = await metrics.registry.metrics();
    expect(measured).toMatch(/^revocations_listed{.*} 2$/m);
    expect(measured).toMatch(/^revocations_age_seconds{.*} 0\.\d+/m);
  });

  it("stops at once, though a poll waits", async () => {
    follow();
    await vi.waitFor(() => expect(issuer.polls.length).toBe(2));
    const startedAt = performance.now();
    await followed?.stop();
    expect(performance.now() - startedAt).toBeLessThan(500);
    await sleep(100);
    expect(issuer.polls.length).toBe(2);
    expect(log.lines("revocations.unreachable")).toEqual([]);
  });
});

describe("when the issuer is started again", () => {
  it("what was revoked meanwhile is known within a second of its return", async () => {
    issuer.revoke(grant("before"));
    follow();
    await refusedAfterMs("before");
    await issuer.stop();
    await sleep(1_500);
    expect(followed?.isRevoked(ofGrant("before"))).toBe(true);

    issuer.become("second", [grant("before"), grant("meanwhile")]);
    await issuer.start();
    expect(await refusedAfterMs("meanwhile")).toBeLessThan(1_000);
    expect(log.lines("revocations.unreachable")).toHaveLength(1);
    expect(log.lines("revocations.recovered")).toHaveLength(1);
  });

  it("it is not asked more often than it takes", async () => {
    follow();
    await vi.waitFor(() => followed?.check());
    await issuer.stop();
    await sleep(3_000);
    await issuer.start();
    await vi.waitFor(() => expect(log.lines("revocations.recovered")).toHaveLength(1));
    expect(log.lines("revocations.recovered")[0]?.failures).toBeLessThan(20);
  });

  it("an instance that has not heard of it yet makes nothing that is revoked good again", async () => {
    issuer.revoke(grant("known"), grant("late"));
    follow();
    await refusedAfterMs("late");
    issuer.become("other instance", [grant("known")]);
    issuer.revoke(grant("new"));
    await refusedAfterMs("new");
    expect(followed?.isRevoked(ofGrant("late"))).toBe(true);
  });

  it("a count that the issuer has not reached yet is no reason to miss what comes", async () => {
    issuer.revoke(grant("a"), grant("b"), grant("c"));
    follow();
    await refusedAfterMs("c");
    issuer.become("second", []);
    issuer.revoke(grant("d"));
    expect(await refusedAfterMs("d")).toBeLessThan(1_000);
  });
});

describe("when the network is bad", () => {
  it("a slow answer is an answer all the same", async () => {
    issuer.answer = async (response, body) => {
      for (let at = 0; at < body.length; at += 20) {
        response.write(body.slice(at, at + 20));
        await sleep(20);
      }
      response.end();
    };
    follow();
    issuer.revoke(grant("a"));
    expect(await refusedAfterMs("a")).toBeLessThan(1_000);
  });

  it("an issuer that says nothing any more is noticed, and asked anew", async () => {
    follow(50);
    await vi.waitFor(() => followed?.check());
    const { answer } = issuer;
    issuer.answer = () => undefined;
    await sleep(500);
    const asked = issuer.polls.length;
    issuer.answer = answer;
    issuer.revoke(grant("a"));
    await refusedAfterMs("a");
    expect(issuer.polls.length).toBeGreaterThan(asked);
    expect(log.lines("revocations.unreachable")).toHaveLength(1);
  });

  const nonsense: Record<string, (response: ServerResponse) => void> = {
    "a failure": (response) => response.writeHead(503).end("{}"),
    "no JSON": (response) => response.end("<html>"),
    "JSON of another kind": (response) => response.end("[]"),
    "half an answer": (response) => {
      response.writeHead(200, { "Content-Length": "100" }).write("{");
      response.destroy();
    },
  };
  it.each(Object.entries(nonsense))(
    "%s changes nothing that is known, and makes the list older",
    async (_, answerBadly) => {
      issuer.revoke(grant("a"));
      follow(20);
      await refusedAfterMs("a");
      const { answer } = issuer;
      issuer.answer = answerBadly;
      await vi.waitFor(() => expect(log.lines("revocations.unreachable")).toHaveLength(1));
      const age = followed?.ageMs() ?? 0;
      await sleep(300);
      expect(followed?.ageMs()).toBeGreaterThan(age + 250);
      expect(followed?.isRevoked(ofGrant("a"))).toBe(true);
      issuer.answer = answer;
      issuer.revoke(grant("b"));
      expect(await refusedAfterMs("b")).toBeLessThan(1_000);
    },
  );
});

describe("several instances of the issuer behind one address", () => {
  let second: Issuer;
  let balancer: TcpServer;

  beforeEach(async () => {
    second = new Issuer();
    second.become("second", []);
    await second.start();
    let connections = 0;
    balancer = createTcpServer((client) => {
      const { port } = connections++ % 2 === 0 ? issuer : second;
      const upstream = connect(port, "127.0.0.1");
      for (const end of [client, upstream]) end.on("error", () => end.destroy());
      client.pipe(upstream).pipe(client);
    });
    balancer.listen(0, "127.0.0.1");
    await once(balancer, "listening");
  });
  afterEach(async () => {
    balancer.close();
    await second.stop();
  });

  const followBalanced = () => {
    const url = `http://127.0.0.1:${(balancer.address() as AddressInfo).port}/revocations`;
    followed = followRevocations({ url, logger: log.logger, metrics, waitMs: 200 });
    return followed;
  };

  it("one of them is followed: a poll waits there, though each connection leads to another one", async () => {
    followBalanced();
    await vi.waitFor(() => followed?.check());
    await sleep(1000);
    expect(issuer.polls.length + second.polls.length).toBeLessThanOrEqual(8);
    issuer.revoke(grant("everywhere"));
    second.revoke(grant("everywhere"));
    expect(await refusedAfterMs("everywhere")).toBeLessThan(1_000);
  });

  it("one that answers badly is left for another, though it keeps its connection open", async () => {
    issuer.answer = (response) => response.writeHead(503).end("{}");
    second.revoke(grant("known to the second"));
    followBalanced();
    expect(await refusedAfterMs("known to the second")).toBeLessThan(2_000);
  });
});

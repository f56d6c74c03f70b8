import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createTestDatabase, type TestDatabase } from "@portico/dev-env";
import type { TokenIdentity } from "@portico/service-kit";
import {
  connectMongo,
  createLogger,
  createMetrics,
  type FollowedRevocations,
  followRevocations,
  migrate,
} from "@portico/service-kit";
import type { Connection } from "mongoose";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { createAccountStore } from "../accounts/account-store.ts";
import { migrations } from "../migrations.ts";
import { type RevocationFeed, startRevocationFeed } from "./revocation-feed.ts";
import { createRevocationStore } from "./revocation-store.ts";
import { type Revoke, revokeWith } from "./revoke.ts";
import { serveRevocations } from "./serve-revocations.ts";

const logger = createLogger("auth", "error");
let database: TestDatabase;
let mongo: Connection;
let revoke: Revoke;
const feeds: RevocationFeed[] = [];

beforeAll(async () => {
  database = await createTestDatabase(inject("stores"));
  mongo = await connectMongo(database.mongodbUri, logger);
  await migrate(mongo, migrations, logger);
  revoke = revokeWith(mongo, createAccountStore(mongo), createRevocationStore(mongo));
});
afterAll(async () => {
  await Promise.all(feeds.map((feed) => feed.stop()));
  await mongo.close();
  await database.drop();
});

/** Another instance of auth, as far as revocations go. */
async function startFeed(): Promise<RevocationFeed> {
  const feed = await startRevocationFeed(mongo, logger);
  feeds.push(feed);
  return feed;
}

const tokenOf = (claims: Partial<TokenIdentity>): TokenIdentity => ({
  id: undefined,
  subject: "ada",
  accountVersion: 0,
  grantId: undefined,
  clientId: "demo",
  issuedAt: Math.floor(Date.now() / 1000),
  keyId: "key",
  ...claims,
});

const refusesWithin = (list: Pick<RevocationFeed, "isRevoked">, token = tokenOf({}), ms = 1_000) =>
  vi.waitFor(() => expect(list.isRevoked(token)).toBe(true), { timeout: ms, interval: 5 });

describe("what is revoked", () => {
  test("is known to every instance within a second, and to one that starts afterwards", async () => {
    const [one, other] = await Promise.all([startFeed(), startFeed()]);
    const token = tokenOf({ grantId: crypto.randomUUID() });
    expect(one.isRevoked(token)).toBe(false);
    await revoke.grant(token.grantId ?? "");
    await Promise.all([refusesWithin(one, token), refusesWithin(other, token)]);
    expect((await startFeed()).isRevoked(token)).toBe(true);
  });

  test("of each kind is refused, and what is like it is not", async () => {
    const feed = await startFeed();
    const now = Math.floor(Date.now() / 1000);
    await Promise.all([revoke.client("lost"), revoke.signingKey("leaked"), revoke.token("one")]);
    for (const named of [{ clientId: "lost" }, { keyId: "leaked" }, { id: "one" }]) {
      await refusesWithin(feed, tokenOf(named));
    }
    expect(feed.isRevoked(tokenOf({}))).toBe(false);
    expect(feed.isRevoked(tokenOf({ clientId: "lost", issuedAt: now + 5 }))).toBe(false);
  });

  test("of an account, refuses its tokens from before and not those from after, each time", async () => {
    const feed = await startFeed();
    const subject = crypto.randomUUID();
    await mongo.collection("accounts").insertOne({ _id: subject, email: subject } as never);
    const versionOf = async () =>
      (await createAccountStore(mongo).find(subject))?.tokenVersion ?? Number.NaN;
    for (const before of [0, 1, 2]) {
      expect(await versionOf()).toBe(before);
      const token = tokenOf({ subject, accountVersion: before });
      expect(feed.isRevoked(token)).toBe(false);
      await revoke.account(subject);
      await refusesWithin(feed, token);
      expect(feed.isRevoked({ ...token, accountVersion: await versionOf() })).toBe(false);
    }
  });

  test("of an account that is gone, refuses all of its tokens", async () => {
    const feed = await startFeed();
    const subject = crypto.randomUUID();
    await revoke.account(subject);
    await refusesWithin(feed, tokenOf({ subject, accountVersion: 1_000_000 }));
  });

  test("many times at once, for one account, raises its version each time", async () => {
    const feed = await startFeed();
    const subject = crypto.randomUUID();
    await mongo.collection("accounts").insertOne({ _id: subject, email: subject } as never);
    await Promise.all(Array.from({ length: 10 }, () => revoke.account(subject)));
    await refusesWithin(feed, tokenOf({ subject, accountVersion: 9 }));
    expect(feed.isRevoked(tokenOf({ subject, accountVersion: 10 }))).toBe(false);
  });

  test("in a transaction that fails, is not revoked", async () => {
    const feed = await startFeed();
    const [never, control] = [crypto.randomUUID(), crypto.randomUUID()];
    const failed = mongo.transaction(async (session) => {
      await revoke.grant(never, session);
      await revoke.account(never, session);
      throw new Error("no");
    });
    await expect(failed).rejects.toThrow("no");
    await revoke.grant(control);
    await refusesWithin(feed, tokenOf({ grantId: control }));
    expect(feed.isRevoked(tokenOf({ grantId: never, subject: never }))).toBe(false);
  });

  test("is kept until no token of ten minutes can be used, then goes by itself", async () => {
    const id = crypto.randomUUID();
    await revoke.grant(id);
    const kept = await mongo.collection("revocations").findOne({ "revocation.id": id });
    const keptS = (kept?.expiresAt.getTime() - Date.now()) / 1000;
    expect(keptS).toBeGreaterThan(600 + 60);
    expect(keptS).toBeLessThan(1_000);
    const indexes = await mongo.collection("revocations").indexes();
    expect(indexes).toContainEqual(
      expect.objectContaining({ key: { expiresAt: 1 }, expireAfterSeconds: 0 }),
    );
  });
});

describe("when the change stream breaks", () => {
  test("it is opened again, and what was revoked meanwhile is known", async () => {
    const feed = await startFeed();
    // Dropping what is watched ends every stream of it (`invalidate`).
    await mongo.collection("revocations").drop();
    const id = crypto.randomUUID();
    await revoke.grant(id);
    await refusesWithin(feed, tokenOf({ grantId: id }), 5_000);
    const later = crypto.randomUUID();
    await revoke.grant(later);
    await refusesWithin(feed, tokenOf({ grantId: later }));
  });
});

describe("GET /revocations on the operations port", () => {
  let feed: RevocationFeed;
  let server: Server;
  const followers: FollowedRevocations[] = [];

  beforeAll(async () => {
    feed = await startFeed();
    server = createServer(serveRevocations(feed, logger));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterAll(async () => {
    await Promise.all(followers.map((follower) => follower.stop()));
    server.closeAllConnections();
    server.close();
  });

  test("answers a service that follows it within a second of a revocation", async () => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/revocations`;
    const follower = followRevocations({ url, logger, metrics: createMetrics("posts") });
    followers.push(follower);
    await vi.waitFor(() => follower.check());
    for (let times = 0; times < 5; times += 1) {
      const token = tokenOf({ grantId: crypto.randomUUID() });
      await revoke.grant(token.grantId ?? "");
      const answeredAt = performance.now();
      await refusesWithin(follower, token);
      expect(performance.now() - answeredAt).toBeLessThan(1_000);
    }
  });

  test("answers everything, with a cursor, without one (200)", async () => {
    const id = crypto.randomUUID();
    await revoke.grant(id);
    await refusesWithin(feed, tokenOf({ grantId: id }));
    const { body } = await request(server).get("/revocations").expect(200);
    expect(body.revocations.map((one: { id: string }) => one.id)).toContain(id);
    const next = await request(server).get(`/revocations?after=${body.cursor}`).expect(200);
    expect(next.body).toEqual({ cursor: body.cursor, revocations: [] });
  });

  test.each(["waitMs=-1", "waitMs=60000", "waitMs=x", `after=${"x".repeat(101)}`])(
    "refuses what it does not understand: %s (400)",
    async (query) => {
      await request(server).get(`/revocations?${query}`).expect(400);
    },
  );

  test("does not say that there is nothing new when it cannot know (503)", async () => {
    const silent = Object.assign(await startFeed(), { ageMs: () => 5_001 });
    const other = createServer(serveRevocations(silent, logger));
    await request(other).get("/revocations").expect(503);
  });
});

import { afterEach, describe, expect, it, vi } from "vitest";
import {
  createRevocationList,
  longestBlindMs,
  type Revocation,
  type TokenIdentity,
} from "./revocations.ts";

afterEach(() => vi.useRealTimers());

const seconds = () => Math.floor(Date.now() / 1000);
const until = seconds() + 900;

const token = (more: Partial<TokenIdentity> = {}): TokenIdentity => ({
  id: "token",
  subject: "ada",
  accountVersion: 2,
  grantId: "grant",
  clientId: "demo",
  issuedAt: 1_000,
  keyId: "key",
  ...more,
});

const refuses = (...revocations: Revocation[]) => {
  const list = createRevocationList();
  list.add(revocations);
  return (more?: Partial<TokenIdentity>) => list.isRevoked(token(more));
};

describe("a list of revocations", () => {
  it("refuses nothing while it is empty, and is not complete before it is said to be", () => {
    const list = createRevocationList();
    expect(list.isRevoked(token())).toBe(false);
    expect([list.isCurrent(), list.ageMs()]).toEqual([false, Number.POSITIVE_INFINITY]);
    list.markComplete();
    expect(list.isCurrent()).toBe(true);
    expect(list.ageMs()).toBeLessThan(1_000);
  });

  it("is current for a minute after it was last complete, each time", () => {
    vi.useFakeTimers();
    const list = createRevocationList();
    vi.advanceTimersByTime(longestBlindMs);
    for (let times = 0; times < 2; times += 1) {
      list.markComplete();
      vi.advanceTimersByTime(longestBlindMs - 1);
      expect(list.isCurrent()).toBe(true);
      list.markComplete();
      vi.advanceTimersByTime(longestBlindMs - 1);
      expect(list.isCurrent()).toBe(true);
      vi.advanceTimersByTime(1);
      expect(list.isCurrent()).toBe(false);
    }
  });

  it("of an account, refuses the versions below", () => {
    const isRevoked = refuses({ kind: "account", id: "ada", below: 2, until });
    expect([0, 1, 2, 3].map((accountVersion) => isRevoked({ accountVersion }))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(isRevoked({ subject: "bob", accountVersion: 0 })).toBe(false);
  });

  it("of a client, refuses what was issued before", () => {
    const isRevoked = refuses({ kind: "client", id: "demo", issuedBefore: 1_001, until });
    expect([isRevoked(), isRevoked({ issuedAt: 1_001 })]).toEqual([true, false]);
    expect(isRevoked({ clientId: "web" })).toBe(false);
  });

  it("of a grant, a token and a key, refuses all of it and nothing else", () => {
    const isRevoked = refuses(
      { kind: "grant", id: "g", until },
      { kind: "token", id: "t", until },
      { kind: "key", id: "k", until },
    );
    expect(isRevoked()).toBe(false);
    expect(isRevoked({ grantId: "g" })).toBe(true);
    expect(isRevoked({ id: "t" })).toBe(true);
    expect(isRevoked({ keyId: "k" })).toBe(true);
    expect(isRevoked({ grantId: undefined, id: undefined, keyId: undefined })).toBe(false);
    expect(isRevoked({ subject: "g", clientId: "g", grantId: "k", keyId: "g" })).toBe(false);
  });

  it("keeps what reaches furthest, in whatever order it comes", () => {
    const below = (version: number): Revocation => ({
      kind: "account",
      id: "ada",
      below: version,
      until,
    });
    for (const order of [
      [2, 3],
      [3, 2],
    ]) {
      expect(refuses(...order.map(below))({ accountVersion: 2 })).toBe(true);
    }
  });

  it("has another version after each addition, and the same after none", () => {
    const list = createRevocationList();
    const { version } = list;
    list.add([]);
    expect(list.version).toBe(version);
    list.add([{ kind: "grant", id: "g", until }]);
    expect(list.version).not.toBe(version);
  });

  it("forgets what is over, and nothing before", () => {
    let now = Date.now();
    const list = createRevocationList(() => now);
    const endsIn = (s: number) => Math.floor(now / 1000) + s;
    list.add([
      { kind: "grant", id: "short", until: endsIn(100) },
      { kind: "account", id: "ada", below: 9, until: endsIn(900) },
    ]);
    now += 99_000;
    list.add([{ kind: "grant", id: "other", until: endsIn(900) }]);
    expect(list.isRevoked(token({ grantId: "short", subject: "bob" }))).toBe(true);
    now += 62_000;
    list.add([{ kind: "grant", id: "another", until: endsIn(900) }]);
    expect(list.isRevoked(token({ grantId: "short", subject: "bob" }))).toBe(false);
    expect(list.isRevoked(token())).toBe(true);
    expect(list.size()).toBe(3);
  });

  it("tells of each key once", () => {
    const list = createRevocationList();
    const told: string[] = [];
    list.onKeyRevoked((keyId) => told.push(keyId));
    list.add([{ kind: "key", id: "k", until }]);
    list.add([
      { kind: "key", id: "k", until },
      { kind: "grant", id: "g", until },
    ]);
    expect(told).toEqual(["k"]);
  });
});

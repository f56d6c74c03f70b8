import mongoose from "mongoose";
import { beforeEach, describe, expect, test } from "vitest";
import { createRevocationLog, type RevocationLog } from "./revocation-log.ts";
import type { RevocationDocument } from "./revocation-store.ts";

let now: number;
let log: RevocationLog;

beforeEach(() => {
  now = Date.now();
  log = createRevocationLog(() => now);
});

const revoked = (id: string, endsInS = 900): RevocationDocument => ({
  _id: new mongoose.mongo.ObjectId(),
  revocation: { kind: "grant", id, until: Math.floor(now / 1000) + endsInS },
  expiresAt: new Date(now + endsInS * 1000),
});

const idsSince = (cursor: string) => log.since(cursor).revocations.map(({ id }) => id);

describe("a cursor", () => {
  test("of this epoch is answered with what came after it", () => {
    log.append([revoked("a"), revoked("b")]);
    const { cursor } = log.since("");
    expect(idsSince(cursor)).toEqual([]);
    log.append([revoked("c")]);
    expect(idsSince(cursor)).toEqual(["c"]);
    expect(log.since(cursor).cursor).not.toBe(cursor);
  });

  test.each(["", "x", "other.1", ".", "other", `other.${"9".repeat(90)}`])(
    "of nobody or of another epoch is answered with everything: '%s'",
    (cursor) => {
      log.append([revoked("a"), revoked("b")]);
      expect(idsSince(cursor)).toEqual(["a", "b"]);
    },
  );

  test.each(["", "NaN", "-5", "0.5", "1e99"])(
    "of this epoch that was tampered with misses nothing that follows: '%s'",
    (sequence) => {
      log.append([revoked("a")]);
      const [epoch] = log.since("").cursor.split(".");
      const { cursor } = log.since(`${epoch}.${sequence}`);
      log.append([revoked("b")]);
      expect(idsSince(cursor)).toEqual(["b"]);
    },
  );

  test("of another instance is another epoch", () => {
    const other = createRevocationLog();
    other.append([revoked("a"), revoked("b")]);
    log.append([revoked("b"), revoked("a")]);
    expect(idsSince(other.since("").cursor)).toEqual(["b", "a"]);
  });

  test("still counts when what was before it is over", () => {
    log.append([revoked("short", 100)]);
    const old = log.since("").cursor;
    log.append([revoked("b")]);
    const { cursor } = log.since(old);
    now += 101_000;
    log.append([revoked("c")]);
    expect(idsSince(cursor)).toEqual(["c"]);
    expect(idsSince(old)).toEqual(["b", "c"]);
    expect(idsSince("")).toEqual(["b", "c"]);
  });
});

describe("what comes twice", () => {
  test("counts once: a change stream overlaps what was read", () => {
    const one = revoked("a");
    expect(log.append([one])).toHaveLength(1);
    const { cursor } = log.since("");
    expect(log.append([one])).toEqual([]);
    expect(log.since(cursor)).toEqual({ cursor, revocations: [] });
  });
});

describe("who has seen everything", () => {
  const waitsFor = (cursor: string, waitMs: number) => {
    const waited = { over: false };
    const done = log.waitForMore(cursor, waitMs).then(() => {
      waited.over = true;
    });
    return { waited, done };
  };

  test("waits for more, and is answered with it", async () => {
    const { cursor } = log.since("");
    const { waited, done } = waitsFor(cursor, 60_000);
    await Promise.resolve();
    expect(waited.over).toBe(false);
    log.append([revoked("a")]);
    await done;
    expect(idsSince(cursor)).toEqual(["a"]);
  });

  test("waits no longer than it wants to", async () => {
    await waitsFor(log.since("").cursor, 20).done;
    expect(idsSince(log.since("").cursor)).toEqual([]);
  });

  test("does not wait for what is there", async () => {
    const { cursor } = log.since("");
    log.append([revoked("a")]);
    await waitsFor(cursor, 60_000).done;
    await waitsFor("other.0", 60_000).done;
  });

  test("is let go when the instance stops, and does not wait again", async () => {
    const { cursor } = log.since("");
    const { done } = waitsFor(cursor, 60_000);
    log.drain();
    await done;
    await waitsFor(cursor, 60_000).done;
  });
});

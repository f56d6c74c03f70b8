import { createTestDatabase } from "@portico/dev-env";
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeEach, expect, inject, test } from "vitest";
import { type Bucket, createTake } from "./buckets.ts";
import { TAKE } from "./take-script.ts";

/** The script in a real Redis; where time matters, with a clock that the test sets, and without expiry, which has its own. */

const database = await createTestDatabase(inject("stores"));
const redis = new Redis(database.redisUrl);
const take = createTake(redis);

const AT = TAKE.replace('redis.call("TIME")', '{0, redis.call("GET", "clock")}').replace(
  ', "PX", string.format("%.0f", lasts)',
  "",
);

beforeEach(() => redis.flushdb());
afterAll(async () => {
  redis.disconnect();
  await database.drop();
});

const bucket = (requests: number, perMs: number, burst: number, more = {}): Bucket => ({
  key: "bucket",
  rate: { requests, perMs, burst },
  isEnforced: true,
  ...more,
});

async function isAllowedAt(nowUs: number, { key, rate }: Bucket): Promise<boolean> {
  await redis.set("clock", nowUs);
  const { requests, perMs, burst } = rate;
  const answers = await redis.eval(AT, 1, key, 1, requests, perMs * 1000, burst, 1);
  return (answers as number[][])[0]?.[0] === 1;
}

test("the script > lets through all that burst + rate × time allows in every window, and nothing more", async () => {
  const upTo = (max: number) =>
    fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max }));
  const limit = fc.tuple(
    upTo(1_000_000),
    fc.constantFrom(1000, 60_000, 3_600_000),
    upTo(1_000_000),
  );
  const gap = fc.oneof(
    fc.constantFrom(0, 0, 1),
    fc.integer({ min: 0, max: 100_000 }),
    fc.integer({ min: 0, max: 7_200_000_000 }),
  );
  const requests = fc.array(gap, { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(limit, requests, async ([count, perMs, burst], gaps) => {
      await redis.flushdb();
      const admitted: number[] = [];
      let now = 1_700_000_000_000_000;
      for (const elapsed of gaps) {
        now += elapsed;
        const fits = [...admitted, now].every((from, index) => {
          const inWindow = BigInt(admitted.length - index + 1);
          const per = BigInt(perMs * 1000);
          return inWindow * per <= BigInt(burst) * per + BigInt(count) * BigInt(now - from);
        });
        expect(await isAllowedAt(now, bucket(count, perMs, burst))).toBe(fits);
        if (fits) {
          admitted.push(now);
        }
      }
    }),
    { numRuns: 150 },
  );
});

test("the script > keeps the debt, and no more, when the clock is set back", async () => {
  const one = bucket(1, 1000, 1);
  const start = 1_700_000_000_000_000;
  expect(await isAllowedAt(start, one)).toBe(true);
  expect(await isAllowedAt(start - 3_600_000_000, one)).toBe(false);
  expect(await isAllowedAt(start - 3_600_000_000 + 999_999, one)).toBe(false);
  expect(await isAllowedAt(start - 3_600_000_000 + 1_000_000, one)).toBe(true);
});

test("the script > refuses nobody for longer than a limit that has become smaller says", async () => {
  const start = 1_700_000_000_000_000;
  for (let asked = 0; asked < 100; asked++) {
    await isAllowedAt(start, bucket(1, 3_600_000, 100));
  }
  expect(await isAllowedAt(start, bucket(1, 1000, 1))).toBe(false);
  expect(await isAllowedAt(start + 1_000_000, bucket(1, 1000, 1))).toBe(true);
});

test("a request that one limit refuses > takes nothing from the others", async () => {
  const wide = bucket(10, 60_000, 10, { key: "wide" });
  const narrow = bucket(1, 60_000, 1, { key: "narrow" });
  for (let asked = 0; asked < 4; asked++) {
    await take([wide, narrow], true);
  }
  const [first, second] = await take([wide, narrow], true);
  expect(first).toMatchObject({ hasRoom: true, remaining: 9 });
  expect(second).toMatchObject({ hasRoom: false, remaining: 0 });
  expect(second?.waitMs).toBeGreaterThan(59_000);
  expect(second?.waitMs).toBeLessThanOrEqual(60_000);
});

test("a limit that is not enforced > refuses nothing, and says what it would have refused", async () => {
  const enforced = bucket(10, 60_000, 10, { key: "enforced" });
  const trial = bucket(1, 60_000, 1, { key: "trial", isEnforced: false });
  await take([enforced, trial], true);
  const [first, second] = await take([enforced, trial], true);
  expect([first?.remaining, second?.hasRoom]).toEqual([8, false]);
});

test("a bucket > is forgotten when it is full again, and made only when it may be", async () => {
  const [first] = await take([bucket(100, 1000, 1000)], true);
  expect(first).toMatchObject({ isNew: true, remaining: 999 });
  expect(await redis.pttl("bucket")).toBeLessThanOrEqual(10);
  await expect.poll(() => redis.exists("bucket")).toBe(0);

  const [unknown] = await take([bucket(1, 60_000, 1)], false);
  expect(unknown).toMatchObject({ hasRoom: true, isNew: false });
  expect(await redis.exists("bucket")).toBe(0);
  await take([bucket(1, 60_000, 1)], true);
  expect((await take([bucket(1, 60_000, 1)], false))[0]?.hasRoom).toBe(false);
});

test("many at once > get exactly the burst", async () => {
  const answers = await Promise.all(
    Array.from({ length: 200 }, () => take([bucket(1, 3_600_000, 20)], true)),
  );
  expect(answers.filter(([one]) => one?.hasRoom).length).toBe(20);
});

test("a Redis that has forgotten the script > gets it again", async () => {
  await take([bucket(1, 60_000, 2)], true);
  await redis.script("FLUSH");
  expect((await take([bucket(1, 60_000, 2)], true))[0]).toMatchObject({ hasRoom: true });
});

import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createTestLogger } from "../testing/test-app.ts";
import { repeat } from "./repeat.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const start = (work: () => Promise<boolean>) => {
  const { logger, lines } = createTestLogger();
  return { loop: repeat(work, { everyMs: 1_000, name: "thing.work", logger }), lines };
};

describe("a loop", () => {
  it("works every so often, at once while there is more, and at once when woken", async () => {
    let runs = 0;
    const { loop } = start(async () => {
      runs += 1;
      return runs < 5;
    });
    await vi.advanceTimersByTimeAsync(0);
    expect(runs).toBe(5);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(runs).toBe(6);
    loop.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect(runs).toBe(7);
    await loop.stop();
  });

  it("that was woken while it worked works again", async () => {
    const done: (() => void)[] = [];
    const { loop } = start(() => new Promise((resolve) => done.push(() => resolve(false))));
    loop.wake();
    done[0]?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(done).toHaveLength(2);
    done[1]?.();
    await loop.stop();
  });

  it("that fails does not spin and does not fill the log, however often it is woken", async () => {
    let runs = 0;
    const { loop, lines } = start(async () => {
      runs += 1;
      throw new Error("away");
    });
    for (let ms = 0; ms < 60_000; ms += 10) {
      loop.wake();
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(runs).toBeGreaterThan(18);
    expect(runs).toBeLessThan(25);
    expect(lines("thing.work.failed").length).toBeLessThan(8);
    expect(lines("thing.work.failed")[0]).toMatchObject({ error: { message: "away" } });
    await loop.stop();
  });

  it("goes on soon after the failure is over, and says so", async () => {
    let away = true;
    let worked = 0;
    const { loop, lines } = start(async () => {
      if (away) throw new Error("away");
      worked += 1;
      return false;
    });
    await vi.advanceTimersByTimeAsync(60_000);
    away = false;
    await vi.advanceTimersByTimeAsync(3_000);
    expect(worked).toBeGreaterThan(0);
    expect(lines("thing.work.recovered")).toHaveLength(1);
    await loop.stop();
  });

  it("stops when the run under way is over, without another and without a complaint", async () => {
    vi.useRealTimers();
    let runs = 0;
    const { loop, lines } = start(async () => {
      runs += 1;
      await sleep(50);
      throw new Error("closing");
    });
    await sleep(10);
    await loop.stop();
    await sleep(50);
    expect(runs).toBe(1);
    expect(lines()).toEqual([]);
  });

  it("stops at once between two runs, also after a failure", async () => {
    const { loop } = start(() => Promise.reject(new Error("away")));
    await vi.advanceTimersByTimeAsync(10_000);
    await loop.stop();
  });
});

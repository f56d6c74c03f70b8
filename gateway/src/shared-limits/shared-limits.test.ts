import { expect, test, vi } from "vitest";
import { answerOf } from "./answer-question.ts";
import { createAvailability } from "./availability.ts";
import { countedLimit } from "./counted-limits.ts";
import { readRate, sayRate } from "./limit-words.ts";
import { createPopulation } from "./population.ts";
import { socketIn } from "./socket.ts";

const descriptor = (name: string, caller: string, rate = "3 per 60000 ms, burst 5") => [
  { key: "limit", value: name },
  { key: "rate", value: rate },
  { key: "header", value: caller },
];

test("a rate > is read as it was said, and nothing else is", () => {
  const rate = { requests: 1_000_000, perMs: 3_600_000, burst: 1 };
  expect(readRate(sayRate(rate))).toEqual(rate);
  for (const wrong of ["", "0 per 1000 ms, burst 1", "1 per 1000 ms, burst 1; DROP", "-1 per 1"]) {
    expect(readRate(wrong)).toBe(undefined);
  }
});

test("a caller > has one bucket for each limit, whose key says nothing without the secret", () => {
  const keyOf = (name: string, caller: string, secret = "s") =>
    countedLimit(descriptor(name, caller), secret).key;
  expect(keyOf("a/b/0", "ada")).toBe(keyOf("a/b/0", "ada"));
  const others = [keyOf("a/b/1", "ada"), keyOf("a/b/0", "bob"), keyOf("a/b/0", "ada", "t")];
  expect(new Set([keyOf("a/b/0", "ada"), ...others]).size).toBe(4);
  expect(() => countedLimit([{ key: "limit", value: "a/b/0" }], "s")).toThrow(
    "not that of a limit",
  );
  expect(() => countedLimit(descriptor("a/b/0", "ada", "many"), "s")).toThrow("not that");
});

test("an answer > tells of the limit that has least left, unless a later one will", () => {
  const counted = (name: string, remaining: number, hasRoom = true) => ({
    limit: countedLimit(descriptor(name, "ada"), "s"),
    taken: { hasRoom, remaining, waitMs: hasRoom ? 0 : 1_001, fullInMs: 2_500, isNew: false },
  });
  const both = [counted("a/b/0", 4), counted("a/b/1", 2)];
  expect(answerOf(both, false).responseHeaders).toEqual({
    "x-ratelimit-limit": "5, 3;w=60;burst=5",
    "x-ratelimit-remaining": "2",
    "x-ratelimit-reset": "3",
  });
  expect(answerOf(both, true).responseHeaders).toEqual({});
  expect(answerOf([...both, counted("a/b/2", 0, false)], true)).toMatchObject({
    isOverLimit: true,
    responseHeaders: { "x-ratelimit-remaining": "0", "retry-after": "2" },
    metadata: { refused: "a/b/2" },
  });
});

test("Redis > is not asked when it has failed for a while, until it answers a probe", async () => {
  vi.useFakeTimers();
  try {
    const changes: boolean[] = [];
    let isBroken = true;
    const availability = createAvailability(
      async () => {
        if (isBroken) {
          throw new Error("still away");
        }
      },
      (isAway) => changes.push(isAway),
    );
    expect(availability.isAway()).toBe(true);
    availability.connected();
    for (const failures of [2, 2]) {
      for (let failed = 0; failed < failures; failed++) {
        availability.failed(new Error("slow"));
      }
      expect(availability.isAway()).toBe(false);
      availability.answered();
    }
    for (let failed = 0; failed < 50; failed++) {
      availability.failed(new Error("slow"));
    }
    expect(availability.isAway()).toBe(false);
    await vi.advanceTimersByTimeAsync(150);
    availability.failed(new Error("slow"));
    expect(availability.isAway()).toBe(true);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(availability.isAway()).toBe(true);
    isBroken = false;
    await vi.advanceTimersByTimeAsync(250);
    expect(availability.isAway()).toBe(false);
    expect(changes).toEqual([false, true, false]);
    availability.stop();
  } finally {
    vi.useRealTimers();
  }
});

test("callers that are made up > are not remembered without end", () => {
  let now = 0;
  const population = createPopulation(3, () => now);
  for (const forMs of [1_000, 1_000, 60_000]) {
    expect(population.hasRoom()).toBe(true);
    population.made(forMs);
  }
  expect(population.hasRoom()).toBe(false);
  now = 2_500;
  expect(population.hasRoom()).toBe(true);
});

test("the socket > is among Envoy's files, or where its name is short enough", () => {
  expect(socketIn("/envoy")).toBe("/envoy/shared-limits.sock");
  const deep = `/${"folder/".repeat(30)}`;
  expect(Buffer.byteLength(socketIn(deep))).toBeLessThan(104);
  expect(socketIn(deep)).toBe(socketIn(deep));
  expect(socketIn(deep)).not.toBe(socketIn(`${deep}other`));
});

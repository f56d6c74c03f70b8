import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { createRefreshTokenFormat, judge, lifetimeS } from "./refresh-token.ts";

test.each([
  [0, 0, "advance"],
  [0, 1, "repeat"],
  [0, 2, "reused"],
  [0, 9, "reused"],
  [7, 7, "advance"],
  [6, 7, "repeat"],
  [5, 7, "reused"],
  [8, 7, "advance"],
] as const)("generation %i of a family that is at %i > %s", (presented, current, verdict) => {
  expect(judge(presented, current)).toBe(verdict);
});

const keys = [randomBytes(32), randomBytes(32)] as const;
const tokens = createRefreshTokenFormat(keys);

test("a refresh token > says its family and generation, and has one successor", () => {
  const first = tokens.begin();
  const { family, generation } = tokens.read(first) ?? {};
  expect([family, generation]).toEqual([expect.any(String), 0]);
  const next = tokens.successorOf({ family: String(family), generation: 0 });
  expect(tokens.read(next)).toEqual({ family, generation: 1 });
  expect(tokens.successorOf({ family: String(family), generation: 0 })).toBe(next);
  expect(tokens.begin().split(".")[0]).not.toBe(family);
});

test("a refresh token > is good under every key, and made with the first", () => {
  const [first, second] = keys;
  const made = tokens.begin();
  expect(createRefreshTokenFormat([first]).read(made)).toBeDefined();
  expect(createRefreshTokenFormat([second]).read(made)).toBeUndefined();
  expect(createRefreshTokenFormat([second, first]).read(made)).toBeDefined();
});

test("a refresh token > changed in any character is none", () => {
  const token = tokens.begin();
  for (const index of token.split("").keys()) {
    for (const other of ["A", "B", "1", ".", "=", ""]) {
      if (token[index] === other) continue;
      const changed = token.slice(0, index) + other + token.slice(index + 1);
      expect(tokens.read(changed)).toBeUndefined();
    }
  }
  const [family, , mac] = token.split(".");
  for (const generation of ["1", "00", "-0", "0x0", "1e0", "", "9999999999"]) {
    expect(tokens.read(`${family}.${generation}.${mac}`)).toBeUndefined();
  }
  expect(tokens.read(token)).toBeDefined();
});

test.each([
  ["is good for 14 days", 0, 14],
  ["again after each use", 75, 14],
  ["never beyond the 90 days of its family", 80, 10],
  ["to the last day", 89, 1],
])("a refresh token > %s: made after %i days, good for %i", (_, age, days) => {
  expect(lifetimeS(1_800_000_000, 1_800_000_000 + age * 86_400)).toBe(days * 86_400);
});

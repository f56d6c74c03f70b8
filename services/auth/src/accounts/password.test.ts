import { parseOptions } from "@node-rs/argon2";
import { expect, test } from "vitest";
import { hashPassword, NewPassword, passwordMatches, unmatchableHash } from "./password.ts";

test.each([
  ["eight code points", "ünïcödé8", true],
  ["seven code points", "seven77", false],
  ["eight emoji, sixteen UTF-16 units", "😀😁😂🤣😃😄😅😆", true],
  ["four emoji", "😀😁😂🤣", false],
  ["128 code points", "x".repeat(64) + "y".repeat(64), true],
  ["129 code points", "x".repeat(64) + "y".repeat(65), false],
  ["a common one", "Qwerty123", false],
  ["the platform's name and digits", "Portico2026!", false],
  ["one character over and over", "zzzzzzzzzz", false],
  ["a lone surrogate", "abcdefg\ud800", false],
  ["spaces and any script", "это мой пароль", true],
])("a new password > %s: %j -> %j", (_, password, accepted) => {
  expect(NewPassword.safeParse(password).success).toBe(accepted);
});

test("a password > is told from one that differs only in its last byte", async () => {
  const long = "a good long password ".repeat(5);
  const hash = await hashPassword(`${long}1`);
  expect(await passwordMatches(hash, `${long}1`)).toBe(true);
  expect(await passwordMatches(hash, `${long}2`)).toBe(false);
});

test("an unknown address > costs what a known one costs", async () => {
  expect(parseOptions(unmatchableHash)).toEqual(parseOptions(await hashPassword("anything else")));
});

import { parseOptions } from "@node-rs/argon2";
import { expect, test } from "vitest";
import {
  hashPassword,
  NewPassword,
  passwordMatches,
  requireImpersonal,
  unmatchableHash,
} from "./password.ts";

test.each([
  ["eight code points", "ünïcödé8", true],
  ["seven code points", "seven77", false],
  ["eight emoji, sixteen UTF-16 units", "😀😁😂🤣😃😄😅😆", true],
  ["four emoji", "😀😁😂🤣", false],
  ["128 code points", "x".repeat(64) + "y".repeat(64), true],
  ["129 code points", "x".repeat(64) + "y".repeat(65), false],
  ["a common one", "Qwerty123", false],
  ["the platform's name and digits", "Portico2026!", false],
  ["the same in disguise", "p0rt1c0-2026", false],
  ["two expected words", "PorticoSummer1", false],
  ["an expected word among others", "a summer by the sea", true],
  ["an expected word and much else", "portico 8264018", true],
  ["one from a leak, at home in no dictionary", "zaq12wsxcde3", false],
  ["one character over and over", "zzzzzzzzzz", false],
  ["a code point that Unicode has not assigned", "abcdefgh\u{378}", false],
  ["a lone surrogate", "abcdefg\ud800", false],
  ["spaces and any script", "это мой пароль", true],
])("a new password > %s: %j -> %j", (_, password, accepted) => {
  expect(NewPassword.safeParse(password).success).toBe(accepted);
});

test.each([
  ["their address", "lovelace.ada@portico.example", false],
  ["its first part", "ada.lovelace.18151210", false],
  ["its first part, almost", "Ada.Lovelace!", false],
  ["a piece of it, and a year", "lovelace1815", false],
  ["their name, in disguise", "4ugu$ta-king", false],
  ["name and platform", "AugustaPortico1", false],
  ["their name in a sentence", "augusta likes engines", true],
  ["a piece of two letters", "de de de de", true],
])("a new password > may not be made of %s: %j -> %j", (_, password, accepted) => {
  const person = { email: "ada.lovelace.18151210@portico.example", name: "Augusta King de L" };
  const choose = () => requireImpersonal(password, person);
  if (accepted) expect(choose).not.toThrow();
  else expect(choose).toThrow(expect.objectContaining({ status: 400 }));
});

test("a new password > is judged at once, also against words that are made to be tried for ever", () => {
  const person = { email: `${"a".repeat(64)}@portico.example`, name: "aaa aaaa aaaaa ".repeat(6) };
  const startedAt = performance.now();
  requireImpersonal(`${"a".repeat(126)}b`, person);
  expect(performance.now() - startedAt).toBeLessThan(100);
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

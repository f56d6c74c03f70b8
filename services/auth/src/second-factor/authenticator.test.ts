import { Secret } from "otpauth";
import { describe, expect, test } from "vitest";
import { enrolmentUri, newSecret, readable, stepOf } from "./authenticator.ts";

/** RFC 6238 appendix B, the last six digits of its codes. */
const ofTheRfc = Secret.fromLatin1("12345678901234567890").base32;
const vectors: [seconds: number, code: string][] = [
  [59, "287082"],
  [1_111_111_109, "081804"],
  [1_234_567_890, "005924"],
  [20_000_000_000, "353130"],
];

describe("a code of an authenticator app", () => {
  test.each(vectors)("at %i s is %s", (seconds, code) => {
    expect(stepOf(ofTheRfc, code, seconds * 1000)).toBe(Math.floor(seconds / 30));
  });

  test.each([
    ["two steps early", -60, undefined],
    ["one step early", -30, 41_152_263],
    ["one step late", 30, 41_152_263],
    ["two steps late", 60, undefined],
  ])("%s belongs to step %s", (_, seconds, step) => {
    expect(stepOf(ofTheRfc, "005924", (1_234_567_890 + seconds) * 1000)).toBe(step);
  });

  test("may have spaces, as apps show it", () => {
    expect(stepOf(ofTheRfc, " 005 924 ", 1_234_567_890_000)).toBe(41_152_263);
  });

  test.each(["", "5924", "0059240", "00592a", "٠٠٥٩٢٤", "-05924", "005925"])(
    "is none: %s",
    (code) => {
      expect(stepOf(ofTheRfc, code, 1_234_567_890_000)).toBeUndefined();
    },
  );
});

test("a secret > has 160 random bits, and can be typed", () => {
  const [one, other] = [newSecret(), newSecret()];
  expect(Secret.fromBase32(one).bytes).toHaveLength(20);
  expect(one).not.toBe(other);
  expect(readable("ABCDEFGH")).toBe("ABCD EFGH");
});

test("a secret > goes to the app with the names of the platform and the person", () => {
  const uri = new URL(enrolmentUri(ofTheRfc, "a+b@portico.example"));
  expect(uri.href).toContain("otpauth://totp/Portico:a%2Bb%40portico.example?");
  expect(Object.fromEntries(uri.searchParams)).toEqual({
    issuer: "Portico",
    secret: ofTheRfc,
    algorithm: "SHA1",
    digits: "6",
    period: "30",
  });
});

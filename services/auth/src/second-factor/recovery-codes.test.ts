import { expect, test } from "vitest";
import { hashCode, newRecoveryCodes, normaliseCode } from "./recovery-codes.ts";

test("recovery codes > are ten, all different, and none of them is kept", async () => {
  const { codes, kept } = await newRecoveryCodes();
  expect(new Set(codes).size).toBe(10);
  for (const code of codes) expect(code).toMatch(/^[0-9a-hjkmnp-tv-z]{5}-[0-9a-hjkmnp-tv-z]{5}$/);
  for (const hash of kept.hashes) expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  const hashes = await Promise.all(codes.map((code) => hashCode(code, kept.salt)));
  expect(hashes).toEqual(kept.hashes);
  expect(await hashCode(codes[0] ?? "", Buffer.alloc(16))).not.toBe(kept.hashes[0]);
});

test.each([
  ["K3V9Q-7MZT0", "k3v9q7mzt0"],
  [" k3v9q 7mzt0 ", "k3v9q7mzt0"],
  ["OoIiL-lzzzz", "001111zzzz"],
])("a recovery code > typed as %s is %s", (typed, code) => {
  expect(normaliseCode(typed)).toBe(code);
});

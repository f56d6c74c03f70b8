import { randomBytes } from "node:crypto";
import { Secret } from "@portico/service-kit";
import { expect, test } from "vitest";
import { createKeyRing, keyEncryptionKey, WrongKey } from "./key-ring.ts";

const newKey = () => randomBytes(32).toString("base64url");
const ringOf = (...keys: string[]) => createKeyRing(new Secret(keys.join(",")));

test("a key ring > opens what it sealed, and shows nothing of it", () => {
  const ring = ringOf(newKey());
  const sealed = ring.seal("a private key", "here");
  expect(sealed).not.toContain(Buffer.from("private").toString("base64url").slice(1, -1));
  expect(ring.open(sealed, "here")).toEqual({ plaintext: "a private key", byFirst: true });
  expect(ring.seal("a private key", "here")).not.toBe(sealed);
});

test("a key ring > opens nothing for another place, by another key, or that was changed", () => {
  const ring = ringOf(newKey());
  const sealed = ring.seal("a private key", "here");
  expect(() => ring.open(sealed, "there")).toThrow(WrongKey);
  expect(() => ringOf(newKey()).open(sealed, "here")).toThrow(WrongKey);
  const bytes = Buffer.from(sealed, "base64url");
  for (const index of bytes.keys()) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(bytes.readUInt8(index) ^ 1, index);
    expect(() => ring.open(changed.toString("base64url"), "here")).toThrow(WrongKey);
  }
  for (const length of [0, 12, 27, bytes.length - 1]) {
    const cut = bytes.subarray(0, length).toString("base64url");
    expect(() => ring.open(cut, "here")).toThrow(WrongKey);
  }
});

test("a key ring > can be changed: what an older key sealed still opens, and is known as such", () => {
  const [old, next] = [newKey(), newKey()];
  const sealed = ringOf(old).seal("a private key", "here");
  expect(ringOf(next, old).open(sealed, "here")).toEqual({
    plaintext: "a private key",
    byFirst: false,
  });
});

test("a key ring > derives one key for each purpose from each of its own", () => {
  const [one, two] = [newKey(), newKey()];
  const derived = ringOf(one, two).derive("a");
  expect(derived.map((key) => key.length)).toEqual([32, 32]);
  expect(ringOf(two).derive("a")).toEqual([derived[1]]);
  const different = [...derived, ...ringOf(one, two).derive("b"), Buffer.from(one, "base64url")];
  expect(new Set(different.map((key) => key.toString("hex"))).size).toBe(5);
});

test.each([
  ["too short", randomBytes(31).toString("base64url")],
  ["too long", randomBytes(33).toString("base64url")],
  ["of other characters", `${"+".repeat(42)}/`],
  ["an empty one in the list", `${newKey()},`],
])("a key ring > refuses a key that is %s", (_, source) => {
  expect(keyEncryptionKey.safeParse(source).success).toBe(false);
  expect(keyEncryptionKey.safeParse(newKey()).success).toBe(true);
});

import { verify } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { generateSigningKey } from "../signing-keys/signing-key.ts";
import { OwnSigningKey, toJose } from "./own-signing-key.ts";

const isSignedBy = (key: OwnSigningKey, data: Uint8Array, signature: Uint8Array): boolean =>
  verify("sha256", data, { key: key.keyObject(), dsaEncoding: "ieee-p1363" }, signature);

test("own signing key > what it signs is verified by its public key, and by no other", () => {
  const [key, other] = [1, 2].map(
    () => new OwnSigningKey(generateSigningKey("active", new Date())),
  );
  if (!key || !other) throw new Error("There are no keys.");
  // Many times: one signature in a hundred has a number that begins with zeros.
  for (let count = 0; count < 300; count += 1) {
    const data = Buffer.from(`header.payload ${count}`);
    const signature = key.sign(data);
    expect(signature).toHaveLength(64);
    expect(isSignedBy(key, data, signature)).toBe(true);
    expect(isSignedBy(other, data, signature)).toBe(false);
  }
});

test("own signing key > a number of any length comes out with its 32 bytes", () => {
  const number = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const shortened = fc
    .tuple(number, fc.nat(32))
    .map(([bytes, zeros]) => bytes.map((byte, index) => (index < zeros ? 0 : byte)));
  fc.assert(
    fc.property(shortened, shortened, (r, s) => {
      const numbers = [...integer(r), ...integer(s)];
      const der = Uint8Array.from([0x30, numbers.length, ...numbers]);
      expect(toJose(der)).toEqual(Uint8Array.from([...r, ...s]));
    }),
  );
});

/** X.690 section 8.3: as short as can be, and never negative. */
function integer(bytes: Uint8Array): number[] {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first === -1 ? [0] : [...bytes.subarray(first)];
  const positive = (digits[0] ?? 0) < 0x80 ? digits : [0, ...digits];
  return [0x02, positive.length, ...positive];
}

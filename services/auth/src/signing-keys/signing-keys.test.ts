import { generateKeyPairSync } from "node:crypto";
import { Secret } from "@portico/service-kit";
import { expect, test } from "vitest";
import { testSigningKeys } from "../testing/test-signing-keys.ts";
import { readSigningKeys } from "./signing-keys.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({
  format: "jwk",
});

test("signing keys > are ES256 keys with a private part", () => {
  const [key] = readSigningKeys(new Secret(testSigningKeys())).keys;
  expect(key).toMatchObject({ kty: "EC", crv: "P-256", alg: "ES256", use: "sig", kid: "test" });
});

test.each([
  ["not JSON", "{"],
  ["no key", JSON.stringify({ keys: [] })],
  ["another algorithm", JSON.stringify({ keys: [{ ...rsa, kid: "rsa" }] })],
  ["a public key", testSigningKeys().replace(/"d":"[^"]+",/, "")],
])("signing keys > refuses %s without showing it", (_, source) => {
  const read = () => readSigningKeys(new Secret(source));
  expect(read).toThrow("SIGNING_KEYS is not a private JWKS");
  expect(read).not.toThrow(rsa.d);
});

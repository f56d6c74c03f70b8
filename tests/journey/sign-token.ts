import { createPrivateKey, type KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Ready } from "@portico/dev-env";
import { Secret } from "@portico/service-kit";
import { SignJWT } from "jose";
import mongoose from "mongoose";
import { createKeyRing } from "../../services/auth/src/key-ring/key-ring.ts";
import { createSigningKeyStore } from "../../services/auth/src/signing-keys/signing-key-store.ts";

/**
 * The key that signs, as only auth has it: it takes the database and the secret that the keys in it are
 * sealed with, both of which the platform's folder holds on a laptop.
 */
async function activeKeyOf(folder: string): Promise<{ kid: string; key: KeyObject }> {
  const { stores } = await read<Ready>(folder, "ready.json");
  const { KEY_ENCRYPTION_KEY } = await read<Record<string, string>>(folder, "secrets.json");
  const keyRing = createKeyRing(new Secret(KEY_ENCRYPTION_KEY ?? ""));
  const connection = await mongoose.createConnection(stores.mongodb).asPromise();
  try {
    const keys = await createSigningKeyStore(connection.useDb("auth"), keyRing).list();
    const active = keys.find(({ state }) => state === "active");
    if (!active) throw new Error("the platform has no signing key");
    const key = createPrivateKey({ key: active.privateJwk, format: "jwk" });
    return { kid: active.kid, key };
  } finally {
    await connection.close();
  }
}

const read = async <T>(folder: string, file: string): Promise<T> =>
  JSON.parse(await readFile(join(folder, file), "utf8"));

export const signingKeyOf = async (folder: string): Promise<KeyObject> =>
  (await activeKeyOf(folder)).key;

/** Signs access tokens as auth does: what shows that a refused token was refused for its claims. */
export async function signAs(
  folder: string,
): Promise<(claims: Record<string, unknown>) => Promise<string>> {
  const { kid, key } = await activeKeyOf(folder);
  return (claims) =>
    new SignJWT(claims).setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid }).sign(key);
}

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { importJWK, type JWK, SignJWT } from "jose";

/**
 * Signs access tokens with the platform's own key, taken from its folder: what only auth can do
 * otherwise, and what shows that a refused token was refused for its claims.
 */
export async function signAs(
  folder: string,
): Promise<(claims: Record<string, unknown>) => Promise<string>> {
  const secrets = JSON.parse(await readFile(join(folder, "secrets.json"), "utf8"));
  const [jwk]: JWK[] = JSON.parse(secrets.SIGNING_KEYS).keys;
  if (!jwk) throw new Error("the platform has no signing key");
  const key = await importJWK(jwk, "ES256");
  return (claims) =>
    new SignJWT(claims).setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid: jwk.kid }).sign(key);
}

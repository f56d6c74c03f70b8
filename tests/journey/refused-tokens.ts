import { generateKeyPair, SignJWT } from "jose";
import type { Journey } from "./steps.ts";

/** Tokens that nobody may accept: kind -> token; undefined is none at all. */
export async function refusedTokens({
  ready,
  signToken,
}: Journey): Promise<Record<string, string | undefined>> {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: `${ready.gateway}/auth`,
    aud: ready.gateway,
    sub: "someone",
    client_id: "demo",
    scope: "posts:read payments:read cards:read patients:read",
    roles: ["clinician"],
    jti: crypto.randomUUID(),
    iat: now,
    exp: now + 600,
  };
  const { privateKey } = await generateKeyPair("ES256");
  return {
    "no token": undefined,
    "a forged token": await new SignJWT(claims)
      .setProtectedHeader({ alg: "ES256", typ: "at+jwt" })
      .sign(privateKey),
    "an expired token": await signToken({ ...claims, iat: now - 1200, exp: now - 600 }),
    "a token for another audience": await signToken({
      ...claims,
      aud: "https://elsewhere.example",
    }),
  };
}

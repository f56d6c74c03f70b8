import { createRemoteJWKSet, jwtVerify } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestIssuer, type TestIssuer } from "./test-issuer.ts";

let tokens: TestIssuer;
beforeAll(async () => {
  tokens = await createTestIssuer();
});
afterAll(() => tokens.close());

function verify(token: string) {
  const { issuer, audience, jwksUrl } = tokens;
  return jwtVerify(token, createRemoteJWKSet(new URL(jwksUrl)), {
    issuer,
    audience,
    typ: "at+jwt",
  });
}

test("a test issuer > signs access tokens that verify against its JWKS", async () => {
  const { payload } = await verify(
    await tokens.signToken({ sub: "someone", roles: ["clinician"] }),
  );
  expect(payload).toMatchObject({ sub: "someone", roles: ["clinician"], client_id: "demo" });
});

test("a test issuer > makes every kind of token that must be refused", async () => {
  const bad = [
    [tokens.forgedToken(), "signature"],
    [tokens.expiredToken(), "exp"],
    [tokens.foreignAudienceToken(), "aud"],
    [tokens.signToken({}, { typ: "JWT" }), "typ"],
  ] as const;
  for (const [token, reason] of bad) {
    await expect(verify(await token)).rejects.toThrow(reason);
  }
});

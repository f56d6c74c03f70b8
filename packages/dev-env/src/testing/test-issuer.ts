import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createRevocationList, type RevocationList } from "@portico/service-kit";
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";

/** An issuer of access tokens with a JWKS over HTTP, and of every kind of token that must be refused. */
export interface TestIssuer {
  issuer: string;
  audience: string;
  jwksUrl: string;
  /** For a verifier in this process: what a test adds is revoked at once. */
  revocations: RevocationList;
  /** For a service in a process of its own: nothing is ever revoked there. */
  revocationsUrl: string;
  /** An access token (RFC 9068) of a verified member with every scope; `claims` replace single claims. */
  signToken(claims?: JWTPayload, overrides?: TokenOverrides): Promise<string>;
  /** Signed by a key that is not in the JWKS, under the `kid` of one that is. */
  forgedToken(claims?: JWTPayload): Promise<string>;
  expiredToken(claims?: JWTPayload): Promise<string>;
  foreignAudienceToken(claims?: JWTPayload): Promise<string>;
  close(): Promise<void>;
}

export interface TokenOverrides {
  /** The header's `typ`; anything but `at+jwt` is not an access token (RFC 9068, section 2.1). */
  typ?: string;
  kid?: string;
}

export const everyScope = [
  ...["openid", "email", "profile", "offline_access"],
  ...["posts:read", "posts:write", "payments:read", "payments:write"],
  ...["cards:read", "patients:read", "patients:write"],
].join(" ");

const LIFETIME_S = 600;

export async function createTestIssuer(): Promise<TestIssuer> {
  const [known, foreign] = await Promise.all([generateSigningKey(), generateSigningKey()]);
  const jwks = JSON.stringify({
    keys: [{ ...(await exportJWK(known.publicKey)), kid: "test", alg: "ES256", use: "sig" }],
  });
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "", "http://issuer");
    if (url.pathname === "/revocations") {
      await sleep(url.searchParams.get("after") ? Number(url.searchParams.get("waitMs")) : 0);
      response.end(JSON.stringify({ cursor: "0", revocations: [] }));
      return;
    }
    response.writeHead(200, { "content-type": "application/jwk-set+json" }).end(jwks);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const audience = origin;
  const issuer = `${origin}/auth`;

  const sign = (key: CryptoKey, claims: JWTPayload, overrides: TokenOverrides = {}) =>
    new SignJWT({ ...memberClaims(issuer, audience), ...claims })
      .setProtectedHeader({
        alg: "ES256",
        typ: overrides.typ ?? "at+jwt",
        kid: overrides.kid ?? "test",
      })
      .sign(key);

  return {
    issuer,
    audience,
    jwksUrl: `${origin}/auth/jwks`,
    revocations: Object.assign(createRevocationList(), { isCurrent: () => true }),
    revocationsUrl: `${origin}/revocations`,
    signToken: (claims = {}, overrides) => sign(known.privateKey, claims, overrides),
    forgedToken: (claims = {}) => sign(foreign.privateKey, claims),
    expiredToken: (claims = {}) => sign(known.privateKey, { ...longAgo(), ...claims }),
    foreignAudienceToken: (claims = {}) =>
      sign(known.privateKey, { aud: "https://elsewhere.example", ...claims }),
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

const generateSigningKey = () => generateKeyPair("ES256");

function memberClaims(issuer: string, audience: string): JWTPayload {
  const now = nowSeconds();
  return {
    iss: issuer,
    aud: audience,
    sub: "member-1",
    client_id: "demo",
    scope: everyScope,
    roles: ["member"],
    email_verified: true,
    iat: now,
    exp: now + LIFETIME_S,
    jti: crypto.randomUUID(),
  };
}

function longAgo(): JWTPayload {
  const issuedAt = nowSeconds() - 2 * LIFETIME_S;
  return { iat: issuedAt, exp: issuedAt + LIFETIME_S };
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

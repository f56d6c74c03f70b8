/** The provider's RS256 keys, and JWTs made by hand where the protocol library would never make such a one. */
import { generateKeyPair, type KeyObject, randomBytes, sign } from "node:crypto";
import { promisify } from "node:util";

export type SigningKey = { kid: string; privateKey: KeyObject };

export async function generateSigningKey(): Promise<SigningKey> {
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  return { kid: randomBytes(10).toString("hex"), privateKey };
}

/** A private JWKS (RFC 7517), as the protocol library takes it. */
export const toJwks = ({ kid, privateKey }: SigningKey) => ({
  keys: [{ ...privateKey.export({ format: "jwk" }), kid, use: "sig", alg: "RS256" }],
});

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");

export function signJwt(claims: object, { kid, privateKey }: SigningKey): string {
  const content = `${encode({ alg: "RS256", typ: "JWT", kid })}.${encode(claims)}`;
  return `${content}.${sign("RSA-SHA256", Buffer.from(content), privateKey).toString("base64url")}`;
}

/** RFC 7519 section 6: unsecured. */
export const unsignedJwt = (claims: object): string =>
  `${encode({ alg: "none", typ: "JWT" })}.${encode(claims)}.`;

export const claimsOfJwt = (jwt: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString());

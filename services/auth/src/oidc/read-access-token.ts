import type { VerifyAccessToken } from "@portico/service-kit";
import { z } from "zod";

const AccessTokenClaims = z.looseObject({
  jti: z.string(),
  sub: z.string(),
  client_id: z.string(),
  aud: z.union([z.string().transform((one) => [one]), z.array(z.string())]),
  scope: z.string().default(""),
  grant_id: z.string().optional(),
  iat: z.number(),
  exp: z.number(),
  cnf: z.object({ jkt: z.string().optional() }).optional(),
});

export type AccessTokenClaims = z.output<typeof AccessTokenClaims>;

/** What one of our access tokens says; undefined for anything else, or when it is over or revoked. */
export type ReadAccessToken = (value: string) => Promise<AccessTokenClaims | undefined>;

/** @param verify without a proof: nobody uses the token here, or the protocol library has asked for it */
export const readAccessTokenWith =
  (verify: VerifyAccessToken): ReadAccessToken =>
  async (value) => {
    const isGood = await verify(value).then(
      () => true,
      (error: { status?: number }) => {
        if (error.status === 401) return false;
        throw error;
      },
    );
    return isGood ? AccessTokenClaims.parse(payloadOf(value)) : undefined;
  };

const payloadOf = (jwt: string): unknown =>
  JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString());

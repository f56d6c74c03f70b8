/**
 * Clients: the applications that ask for tokens, in the metadata of OpenID Connect Registration. There
 * is no registration endpoint: every client is the platform's own, so nobody is asked for consent to it.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { z } from "zod";

/** Checked in whole by the protocol library whenever the client is used. */
export const ClientMetadata = z.looseObject({
  client_id: z.string().min(1).max(200),
  client_secret: z.string().min(32).optional(),
});

export type ClientMetadata = z.output<typeof ClientMetadata>;

/** Behind `POST /auth/sign-in`. It has no secret and no redirect URI, so no other grant is open to it. */
export const firstParty = {
  client_id: "portico",
  client_name: "Portico",
  token_endpoint_auth_method: "none",
  redirect_uris: [],
  grant_types: [],
  response_types: [],
} as const;

/** Secrets are random and long, so a plain hash hides them as well as a slow one. */
export const hashSecret = (secret: string): string =>
  createHash("sha256").update(secret).digest("base64url");

export const secretMatches = (secretHash: string, secret: string): boolean => {
  const [expected, given] = [Buffer.from(secretHash), Buffer.from(hashSecret(secret))];
  return expected.length === given.length && timingSafeEqual(expected, given);
};

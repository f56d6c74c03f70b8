/**
 * Clients: the applications that ask for tokens. Their metadata has the names of RFC 7591 (OAuth 2.0
 * Dynamic Client Registration), on the wire and in the database. Nobody registers a client but an
 * administrator, and the seed of a development platform. What a client may do for a person is decided
 * by that person and their roles: `consent/`, `roles/`.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";

export const ClientId = z.string().min(1).max(200);

/** Checked in whole by the protocol library whenever the client is used. */
export const ClientMetadata = z.looseObject({
  client_id: ClientId,
  client_secret: z.string().min(32).optional(),
});

export type ClientMetadata = z.output<typeof ClientMetadata>;

/** Our own, beside those that the protocol library knows. */
export const ownMetadata = [
  "third_party",
  "resource_server",
  "previous_client_secret",
  "previous_client_secret_expires_at",
] as const;

/** Behind `POST /auth/sign-in`. It has no secret and no redirect URI, so no other grant is open to it. */
export const firstParty = {
  client_id: "portico",
  client_name: "Portico",
  token_endpoint_auth_method: "none",
  redirect_uris: [],
  grant_types: [],
  response_types: [],
} as const;

/** 43 characters of base64url. */
export const newSecret = (): string => randomBytes(32).toString("base64url");

/** Secrets are random and long, so a plain hash hides them as well as a slow one. */
export const hashSecret = (secret: string): string =>
  createHash("sha256").update(secret).digest("base64url");

export const secretMatches = (secretHash: string, secret: string): boolean => {
  const [expected, given] = [Buffer.from(secretHash), Buffer.from(hashSecret(secret))];
  return expected.length === given.length && timingSafeEqual(expected, given);
};

/** A client as the protocol library has it, with its secrets hashed. */
type KeptSecrets = {
  clientSecret?: string | undefined;
  previous_client_secret?: unknown;
  previous_client_secret_expires_at?: unknown;
};

/** The secret before the newest one is good until its end, so that whoever uses it can change over. */
export function hasSecret(client: KeptSecrets, secret: string, nowMs = Date.now()): boolean {
  if (client.clientSecret !== undefined && secretMatches(client.clientSecret, secret)) return true;
  const previous = client.previous_client_secret;
  const endsAtS = Number(client.previous_client_secret_expires_at);
  return typeof previous === "string" && nowMs < endsAtS * 1000 && secretMatches(previous, secret);
}

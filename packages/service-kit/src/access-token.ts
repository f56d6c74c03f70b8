/**
 * Access tokens, RFC 9068: a JWT with header `typ: at+jwt`, signed ES256 by our issuer for our
 * audience. Verified here again although the gateway did: a service that is reached another way
 * lets nobody in. A verified token is remembered until it expires, so its signature is checked once.
 */
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import { Problem, unauthenticated, unavailable } from "./problem.ts";

/** Who is calling, as their access token says. */
export type Caller = {
  /** `sub`: the account, or the client itself in a client-credentials token. */
  readonly subject: string;
  readonly clientId: string;
  readonly scopes: ReadonlySet<string>;
  readonly roles: ReadonlySet<string>;
  readonly emailVerified: boolean;
  /** When the person last proved who they are (RFC 9068 section 2.2.1); a client alone never did. */
  readonly authenticatedAt: Date | undefined;
  /** When a premium subscription ends; undefined without one. */
  readonly premiumUntil: Date | undefined;
};

/** Token in, caller out; throws `unauthenticated` (401), or `unavailable` (503) without keys. */
export type VerifyAccessToken = (token: string) => Promise<Caller>;

const Claims = z.object({
  sub: z.string().min(1),
  client_id: z.string().min(1),
  exp: z.number(),
  scope: z.string().default(""),
  roles: z.array(z.string()).default([]),
  email_verified: z.boolean().default(false),
  auth_time: z.number().optional(),
  premium_until: z.number().optional(),
});

type Verified = { caller: Caller; expiresAtMs: number };

const toVerified = (payload: JWTPayload): Verified => {
  const claims = Claims.parse(payload);
  return {
    expiresAtMs: claims.exp * 1000,
    caller: {
      subject: claims.sub,
      clientId: claims.client_id,
      scopes: new Set(claims.scope.split(" ").filter(Boolean)),
      roles: new Set(claims.roles),
      emailVerified: claims.email_verified,
      authenticatedAt: claims.auth_time ? new Date(claims.auth_time * 1000) : undefined,
      premiumUntil: claims.premium_until ? new Date(claims.premium_until * 1000) : undefined,
    },
  };
};

/** RFC 6750 section 3: what a refused caller is told about how to authenticate. */
const challenge = (error?: string) => ({
  "WWW-Authenticate": error ? `Bearer error="${error}"` : "Bearer",
});

export const missingToken = () => unauthenticated(undefined, { headers: challenge() });

const refused = (detail: string, cause?: unknown) =>
  unauthenticated(detail, { headers: challenge("invalid_token"), cause });

const refuse = (error: unknown): never => {
  if (error instanceof Problem) throw error;
  if (error instanceof errors.JWTExpired) throw refused("The access token has expired.");
  throw refused("The access token is not valid.", error);
};

/** Not to find the one key that a token names is the token's fault; all else is the key server's. */
const isTokensFault = (error: unknown): boolean =>
  error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys;

function createKeySource(jwksUrl: string): JWTVerifyGetKey {
  const keys = createRemoteJWKSet(new URL(jwksUrl), {
    cooldownDuration: 30_000,
    cacheMaxAge: 600_000,
    timeoutDuration: 3_000,
  });
  return async (header, token) => {
    try {
      return await keys(header, token);
    } catch (error) {
      if (isTokensFault(error)) throw error;
      throw unavailable("Access tokens cannot be verified right now.", {
        cause: error,
        headers: { "Retry-After": "1" },
      });
    }
  };
}

/** Longer than any token we issue; a longer one is refused before anything is computed. */
const longestToken = 8192;

/**
 * @param issuer exact `iss`
 * @param audience must be among `aud`
 * @param jwksUrl read at first use, again for an unknown `kid`, at most every 30 s
 */
export function createTokenVerifier(options: {
  issuer: string;
  audience: string;
  jwksUrl: string;
  now?: () => number;
}): VerifyAccessToken {
  const now = options.now ?? Date.now;
  const keys = createKeySource(options.jwksUrl);
  const seen = new LRUCache<string, Verified>({ max: 10_000 });

  return async (token) => {
    const known = seen.get(token);
    if (known && known.expiresAtMs > now()) return known.caller;
    if (known) seen.delete(token);
    if (token.length > longestToken) throw refused("The access token is not valid.");

    const verified = await jwtVerify(token, keys, {
      issuer: options.issuer,
      audience: options.audience,
      typ: "at+jwt",
      algorithms: ["ES256"],
      requiredClaims: ["exp", "iat", "sub"],
      currentDate: new Date(now()),
    })
      .then(({ payload }) => toVerified(payload))
      .catch(refuse);
    seen.set(token, verified);
    return verified.caller;
  };
}

const bearer = /^Bearer +([\w.~+/-]+=*)$/i;

/** The token of an `Authorization` header (RFC 6750 section 2.1); nowhere else is looked. */
export function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  const token = bearer.exec(authorization)?.[1];
  if (!token) throw refused("The Authorization header is not of the form 'Bearer TOKEN'.");
  return token;
}

/**
 * Access tokens, RFC 9068: a JWT with header `typ: at+jwt`, signed ES256 by our issuer for our
 * audience. Verified here again although the gateway did: a service that is reached another way
 * lets nobody in. A verified token is remembered until it expires, so its signature is checked once;
 * whether it was revoked is asked each time.
 */
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JWTVerifyGetKey,
  type JWTVerifyResult,
  jwtVerify,
} from "jose";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import { createProofChecker, type Presented, type RequireProof } from "./dpop.ts";
import type { ReadinessCheck } from "./health.ts";
import { Problem, unauthenticated, unavailable } from "./problem.ts";
import type { Revocations, TokenIdentity } from "./revocations.ts";

/** Who is calling, as their access token says. */
export type Caller = {
  /** `sub`: the account, or the client itself in a client-credentials token. */
  readonly subject: string;
  readonly clientId: string;
  /** What the person granted the client, and what ends when they sign out; a client alone has none. */
  readonly grantId: string | undefined;
  readonly scopes: ReadonlySet<string>;
  readonly roles: ReadonlySet<string>;
  readonly emailVerified: boolean;
  /** When the person last proved who they are (RFC 9068 section 2.2.1); a client alone never did. */
  readonly authenticatedAt: Date | undefined;
  /** When a premium subscription ends; undefined without one. */
  readonly premiumUntil: Date | undefined;
};

/**
 * Token in, caller out; throws `unauthenticated` (401), or `unavailable` (503) when keys or revocations
 * are not to be had.
 * @param presented how it came: a token that is bound to a key needs its proof (dpop.ts)
 */
export type VerifyAccessToken = (token: string, presented?: Presented) => Promise<Caller>;

/** `check`: whether it could verify one, for readiness. Nobody should ask who cannot tell. */
export type TokenVerifier = VerifyAccessToken & { check: ReadinessCheck };

const Claims = z.object({
  jti: z.string().optional(),
  sub: z.string().min(1),
  client_id: z.string().min(1),
  iat: z.number(),
  exp: z.number(),
  scope: z.string().default(""),
  roles: z.array(z.string()).default([]),
  email_verified: z.boolean().default(false),
  auth_time: z.number().optional(),
  premium_until: z.number().optional(),
  grant_id: z.string().optional(),
  account_version: z.int().default(0),
  cnf: z.object({ jkt: z.string().optional() }).default({}),
});

type Verified = {
  caller: Caller;
  expiresAtMs: number;
  identity: TokenIdentity;
  /** RFC 9449 section 6.1: of the key that it is bound to. */
  keyThumbprint: string | undefined;
  /** The version of the revocations that it was last compared with. */
  comparedWith: number | undefined;
};

const toVerified = ({ payload, protectedHeader }: JWTVerifyResult): Verified => {
  const claims = Claims.parse(payload);
  return {
    expiresAtMs: claims.exp * 1000,
    keyThumbprint: claims.cnf.jkt,
    comparedWith: undefined,
    identity: {
      id: claims.jti,
      subject: claims.sub,
      accountVersion: claims.account_version,
      grantId: claims.grant_id,
      clientId: claims.client_id,
      issuedAt: claims.iat,
      keyId: protectedHeader.kid,
    },
    caller: {
      subject: claims.sub,
      clientId: claims.client_id,
      grantId: claims.grant_id,
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

/** For whatever a token cannot be judged without. */
const cannotTell = (cause?: unknown) =>
  unavailable("Access tokens cannot be verified right now.", {
    cause,
    headers: { "Retry-After": "1" },
  });

type KeySource = {
  get: JWTVerifyGetKey;
  readAnew(): void;
  /** Reads them, unless they were. */
  require(): Promise<void>;
};

function createKeySource(jwksUrl: string): KeySource {
  const keys = createRemoteJWKSet(new URL(jwksUrl), {
    cooldownDuration: 30_000,
    cacheMaxAge: 600_000,
    timeoutDuration: 3_000,
  });
  return {
    async get(header, token) {
      try {
        return await keys(header, token);
      } catch (error) {
        if (isTokensFault(error)) throw error;
        // The issuer is away, and what it signed is as good as before.
        const known = keys.jwks();
        if (!known) throw cannotTell(error);
        return createLocalJWKSet(known)(header, token).catch(() => {
          throw cannotTell(error);
        });
      }
    },
    async require() {
      if (!keys.jwks()) await keys.reload();
    },
    readAnew() {
      // When it fails: what is kept is read again in ten minutes anyway, and a revocation lasts longer.
      keys.reload().catch(() => undefined);
    },
  };
}

/** Longer than any token we issue; a longer one is refused before anything is computed. */
const longestToken = 8192;

/**
 * @param issuer exact `iss`
 * @param audience must be among `aud`
 * @param jwksUrl read at first use, again for an unknown `kid`, at most every 30 s, and after ten minutes;
 *   what was read last is used while it does not answer
 * @param revocations asked about every token, remembered or not
 * @param proofs `elsewhere` where somebody else asks for the proof of a token that is bound to a key
 */
export function createTokenVerifier(options: {
  issuer: string;
  audience: string;
  jwksUrl: string;
  revocations: Revocations;
  proofs?: "elsewhere";
  now?: () => number;
}): TokenVerifier {
  const { revocations, now = Date.now } = options;
  const keys = createKeySource(options.jwksUrl);
  const seen = new LRUCache<string, Verified>({ max: 10_000 });
  const requireProof: RequireProof =
    options.proofs === "elsewhere"
      ? async () => undefined
      : createProofChecker(new URL(options.issuer).origin, now);

  revocations.onKeyRevoked((keyId) => {
    for (const [token, { identity }] of seen) if (identity.keyId === keyId) seen.delete(token);
    keys.readAnew();
  });

  const requireNotRevoked = (token: string, verified: Verified): Verified => {
    if (!revocations.isCurrent()) throw cannotTell();
    if (verified.comparedWith !== revocations.version) {
      if (revocations.isRevoked(verified.identity)) {
        seen.delete(token);
        throw refused("The access token has been revoked.");
      }
      verified.comparedWith = revocations.version;
    }
    return verified;
  };

  const verify = async (token: string): Promise<Verified> => {
    const known = seen.get(token);
    if (known && known.expiresAtMs > now()) return requireNotRevoked(token, known);
    if (known) seen.delete(token);
    if (token.length > longestToken) throw refused("The access token is not valid.");

    const verified = await jwtVerify(token, keys.get, {
      issuer: options.issuer,
      audience: options.audience,
      typ: "at+jwt",
      algorithms: ["ES256"],
      requiredClaims: ["exp", "iat", "sub"],
      currentDate: new Date(now()),
    })
      .then(toVerified)
      .catch(refuse);
    requireNotRevoked(token, verified);
    seen.set(token, verified);
    return verified;
  };

  const verifyAccessToken: VerifyAccessToken = async (token, presented) => {
    const { caller, keyThumbprint } = await verify(token);
    if (keyThumbprint !== undefined || presented?.scheme === "DPoP") {
      await requireProof(token, keyThumbprint, presented);
    }
    return caller;
  };
  return Object.assign(verifyAccessToken, { check: keys.require });
}

const credentials = /^(Bearer|DPoP) +([\w.~+/-]+=*)$/i;

/** Scheme and token of an `Authorization` header (RFC 6750 section 2.1, RFC 9449 section 7.1); nowhere else is looked. */
export function presentedToken(
  authorization: string | undefined,
): { scheme: Presented["scheme"]; token: string } | undefined {
  if (authorization === undefined) return undefined;
  const [, scheme, token] = credentials.exec(authorization) ?? [];
  if (!scheme || !token) {
    throw refused("The Authorization header is not of the form 'Bearer TOKEN' or 'DPoP TOKEN'.");
  }
  return { scheme: scheme.toLowerCase() === "dpop" ? "DPoP" : "Bearer", token };
}

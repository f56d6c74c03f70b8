/**
 * DPoP, RFC 9449: an access token that is bound to a key is worth nothing without a proof, signed by that
 * key for this token and this one request. Who steals the token alone gets nowhere with it.
 */
import { createHash } from "node:crypto";
import { calculateJwkThumbprint, EmbeddedJWK, type JWK, jwtVerify } from "jose";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import { unauthenticated } from "./problem.ts";

/** How a request presents its access token (RFC 6750 section 2.1, RFC 9449 section 7.1). */
export type Presented = {
  scheme: "Bearer" | "DPoP";
  /** The `DPoP` header. */
  proof: string | undefined;
  method: string;
  /** Path and query as they were sent. */
  url: string;
};

/** @param keyThumbprint `cnf.jkt` of the token; undefined when it is not bound. Throws 401. */
export type RequireProof = (
  token: string,
  keyThumbprint: string | undefined,
  presented: Presented | undefined,
) => Promise<void>;

export const proofAlgorithms = ["ES256", "Ed25519"] as const;

/** A proof is good for this long before and after its `iat`: clocks differ. */
const windowMs = 60_000;
const longestProof = 4_096;
/**
 * Proofs remembered, so that each is good once. Each instance remembers its own, so a copy works at most
 * once at each other one, within the window, for the same request. Whoever sends more than this many
 * proofs within it can use one of their own again.
 */
const mostRemembered = 100_000;

const Proof = z.object({
  jti: z.string().min(1),
  htm: z.string(),
  htu: z.string(),
  ath: z.string(),
  iat: z.number(),
});

type ClaimsOfProof = z.output<typeof Proof>;

/** @param origin what clients see, in front of the gateway: proofs name it */
export function createProofChecker(origin: string, now: () => number): RequireProof {
  let seen: LRUCache<string, number> | undefined;

  /** False the second time. */
  const isFirstUse = (keyThumbprint: string, { jti, iat }: ClaimsOfProof): boolean => {
    seen ??= new LRUCache({ max: mostRemembered });
    const key = sha256(`${keyThumbprint} ${jti}`);
    if ((seen.get(key) ?? 0) > now()) return false;
    seen.set(key, iat * 1000 + windowMs);
    return true;
  };

  return async (token, keyThumbprint, presented) => {
    if (keyThumbprint === undefined) {
      if (presented?.scheme === "DPoP") throw refused("The access token is not bound to a key.");
      return;
    }
    if (presented?.scheme !== "DPoP") {
      throw refused("The access token is bound to a key: send it as 'DPoP', with a proof.");
    }
    const { proof, jwk } = await readProof(presented.proof);
    const mistake =
      (await calculateJwkThumbprint(jwk)) === keyThumbprint
        ? mistakeOf(proof, sha256(token), presented.method, origin + presented.url, now())
        : "is by another key";
    if (mistake) throw wrongProof(mistake);
    if (!isFirstUse(keyThumbprint, proof)) throw wrongProof("was used already");
  };
}

/** Section 4.3, what a resource server compares. */
function mistakeOf(
  proof: ClaimsOfProof,
  tokenHash: string,
  method: string,
  url: string,
  nowMs: number,
): string | undefined {
  if (proof.ath !== tokenHash) return "is for another access token (ath)";
  if (proof.htm !== method) return "is for another method (htm)";
  if (!isSameResource(proof.htu, url)) return "is for another address (htu)";
  if (Math.abs(nowMs - proof.iat * 1000) > windowMs) return "is not of this minute (iat)";
  return undefined;
}

async function readProof(header = ""): Promise<{ proof: ClaimsOfProof; jwk: JWK }> {
  if (header === "") throw refused("There is no DPoP proof.", "invalid_dpop_proof");
  try {
    if (header.length > longestProof) throw new Error("too long");
    const { payload, protectedHeader } = await jwtVerify(header, EmbeddedJWK, {
      typ: "dpop+jwt",
      algorithms: [...proofAlgorithms],
    });
    return { proof: Proof.parse(payload), jwk: protectedHeader.jwk as JWK };
  } catch (error) {
    throw refused("The DPoP proof is not valid.", "invalid_dpop_proof", error);
  }
}

/** Compared as URLs are, without query and fragment. */
function isSameResource(claimed: string, requested: string): boolean {
  const [one, other] = [URL.parse(claimed), URL.parse(requested)];
  return one?.origin === other?.origin && one?.pathname === other?.pathname && one !== null;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("base64url");

const wrongProof = (mistake: string) => refused(`The DPoP proof ${mistake}.`, "invalid_dpop_proof");

const refused = (detail: string, error = "invalid_token", cause?: unknown) =>
  unauthenticated(detail, {
    headers: { "WWW-Authenticate": `DPoP error="${error}", algs="${proofAlgorithms.join(" ")}"` },
    cause,
  });

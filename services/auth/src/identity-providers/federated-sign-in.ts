/**
 * One way to an identity provider and back. The browser keeps a secret; state, nonce and PKCE's code
 * verifier are made of it or belong to it, so that what is kept here, hashes and times, is of no use to
 * anybody who reads the database, and an answer in another browser is nobody's.
 */
import { createHash, createHmac, randomBytes } from "node:crypto";
import type { ProvidedIdentity } from "./identity-provider.ts";
import type { Proofs } from "./relying-party.ts";

/** From the click on the button to the proof of who it is. */
export const lifetimeMs = 10 * 60_000;

/**
 * To sign in, in a chain of interactions of the protocol library (an authorization request may need
 * several, one after the other); or to add a way into an account that this session is signed in to.
 * `reauthenticate`: whatever session the person has at the provider, they must prove themselves now.
 */
export type Purpose = { reauthenticate: boolean } & (
  | { kind: "sign-in"; interactionUid: string; chain: string }
  | { kind: "link"; accountId: string; sessionUid: string }
);

export type FederatedSignIn = {
  stateHash: string;
  browserHash: string;
  providerId: string;
  purpose: Purpose;
  startedAt: Date;
  expiresAt: Date;
  /** When the provider's answer came: there is one. */
  answeredAt: Date | null;
  /** Who it turned out to be. */
  identity: ProvidedIdentity | null;
};

const newSecret = (): string => randomBytes(32).toString("base64url");

export const newBrowserSecret = newSecret;

export const hash = (secret: string): string =>
  createHash("sha256").update(secret).digest("base64url");

const derive = (browserSecret: string, name: string, state: string): string =>
  createHmac("sha256", browserSecret).update(`${name} ${state}`).digest("base64url");

/** 43 characters each: RFC 7636 section 4.1 wants no shorter verifier. */
export const proofsOf = (browserSecret: string, state: string): Proofs => ({
  state,
  nonce: derive(browserSecret, "nonce", state),
  codeVerifier: derive(browserSecret, "code_verifier", state),
});

export function begin(
  browserSecret: string,
  providerId: string,
  purpose: Purpose,
  now: Date,
): { proofs: Proofs; signIn: FederatedSignIn } {
  const state = newSecret();
  return {
    proofs: proofsOf(browserSecret, state),
    signIn: {
      stateHash: hash(state),
      browserHash: hash(browserSecret),
      providerId,
      purpose,
      startedAt: now,
      expiresAt: new Date(now.getTime() + lifetimeMs),
      answeredAt: null,
      identity: null,
    },
  };
}

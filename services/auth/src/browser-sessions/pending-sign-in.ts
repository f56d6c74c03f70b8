/**
 * A sign-in between its beginning and its callback. Nothing of it is kept here: the browser has a random
 * secret, in one cookie for all of its tabs, and `state` holds the rest, sealed for that browser alone.
 * Code verifier and nonce (RFC 7636, OpenID Connect Core section 15.5.2) are made of both, so that a code
 * which somebody slips in, or takes away, is worth nothing.
 */
import { createHash, createHmac, randomBytes } from "node:crypto";
import { readCookie } from "@portico/service-kit";
import { z } from "zod";
import { type KeyRing, WrongKey } from "../key-ring/key-ring.ts";

export type PendingSignIn = {
  returnTo: string;
  state: string;
  nonce: string;
  codeVerifier: string;
};

export type PendingSignIns = {
  /** Remembered by the browser with `cookie`. */
  begin(returnTo: string, cookieHeader: string | undefined): PendingSignIn & { cookie: string };
  /** Undefined when it took too long, or began in another browser. */
  resume(state: string, cookieHeader: string | undefined): PendingSignIn | undefined;
};

/** As long as the person may take at the sign-in page. */
const lifetimeS = 900;

const cookieName = "__Host-portico-start";
/** Lax: the way back from another identity provider begins at another site. */
const attributes = `Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=${lifetimeS}`;

const State = z.object({ returnTo: z.string(), mark: z.string(), until: z.number() });

export function createPendingSignIns(
  keyRing: Pick<KeyRing, "seal" | "open">,
  now: () => number = Date.now,
): PendingSignIns {
  const contextOf = (secret: string): string =>
    `sign-in of browser ${createHash("sha256").update(secret).digest("base64url")}`;

  const of = (secret: string, state: string, returnTo: string, mark: string): PendingSignIn => {
    const derive = (purpose: string) =>
      createHmac("sha256", secret).update(`${purpose} ${mark}`).digest("base64url");
    return { returnTo, state, nonce: derive("nonce"), codeVerifier: derive("code verifier") };
  };

  const open = (state: string, secret: string) => {
    try {
      return State.parse(JSON.parse(keyRing.open(state, contextOf(secret)).plaintext));
    } catch (error) {
      if (error instanceof WrongKey) return undefined;
      throw error;
    }
  };

  return {
    begin(returnTo, cookieHeader) {
      const secret = secretOf(cookieHeader) ?? randomBytes(32).toString("base64url");
      const mark = randomBytes(16).toString("base64url");
      const until = now() + lifetimeS * 1000;
      const state = keyRing.seal(JSON.stringify({ returnTo, mark, until }), contextOf(secret));
      const cookie = `${cookieName}=${secret}; ${attributes}`;
      return { ...of(secret, state, returnTo, mark), cookie };
    },

    resume(state, cookieHeader) {
      const secret = secretOf(cookieHeader);
      const opened = secret && open(state, secret);
      if (!opened || opened.until < now()) return undefined;
      return of(secret, state, opened.returnTo, opened.mark);
    },
  };
}

const secretOf = (cookieHeader: string | undefined): string | undefined => {
  const secret = readCookie(cookieHeader, cookieName);
  return secret && /^[\w-]{43}$/.test(secret) ? secret : undefined;
};

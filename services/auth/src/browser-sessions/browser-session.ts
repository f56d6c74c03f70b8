/**
 * Browser sessions: sign-in for the platform's own browser apps, so that no token lives in a page
 * (backend for frontend; OAuth 2.0 for Browser-Based Applications, section 6.1). auth is its own
 * confidential client: it takes a person through code + PKCE, keeps the refresh token sealed, and gives
 * the browser two cookies that no script reads: one names the session, one is the access token, which
 * gateway and services take like any other. This folder owns that session and its cookies; the session of
 * the person at auth, under which it lives and with which it ends, is the protocol library's.
 */
import { createHash, randomBytes } from "node:crypto";
import { accessTokenCookie, unauthenticated } from "@portico/service-kit";
import { accessTokenLifetimeS } from "../oidc/resource-server.ts";

export const browserSessionPath = "/auth/browser-session";
export const callbackPath = `${browserSessionPath}/callback`;

export const sessionCookie = "__Host-portico-session";

/** As long as the person's session at auth lives, without which it is nothing. */
export const lifetimeMs = 14 * 86_400_000;

/** What a browser session gets from auth's own token endpoint. */
export type Tokens = { accessToken: string; accessTokenExpiresAt: Date; refreshToken: string };

export type BrowserSession = {
  accountId: string;
  grantId: string;
  tokens: Tokens;
  expiresAt: Date;
};

/** Where its access token has less than half of its life left: before that there is nothing to gain. */
export const isWorn = ({ accessTokenExpiresAt }: Tokens, now: Date): boolean =>
  accessTokenExpiresAt.getTime() - now.getTime() < (accessTokenLifetimeS * 1000) / 2;

export const newSessionId = (): string => randomBytes(32).toString("base64url");

/** Kept instead of the id. */
export const hashSessionId = (id: string): string =>
  createHash("sha256").update(id).digest("base64url");

/**
 * Strict: no other site, not even a link on it, makes a browser send them. A page is served to whoever
 * asks for it, and its own requests carry them.
 */
const attributes = "Path=/; HttpOnly; Secure; SameSite=Strict";

const secondsUntil = (end: Date, now: Date): number =>
  Math.max(0, Math.floor((end.getTime() - now.getTime()) / 1000));

const setCookie = (name: string, value: string, maxAgeS: number): string =>
  `${name}=${value}; ${attributes}; Max-Age=${maxAgeS}`;

export const accessCookieOf = ({ accessToken, accessTokenExpiresAt }: Tokens, now: Date): string =>
  setCookie(accessTokenCookie, accessToken, secondsUntil(accessTokenExpiresAt, now));

export const cookiesOf = (sessionId: string, { tokens, expiresAt }: BrowserSession, now: Date) => [
  setCookie(sessionCookie, sessionId, secondsUntil(expiresAt, now)),
  accessCookieOf(tokens, now),
];

export const clearedCookies = [
  setCookie(sessionCookie, "", 0),
  setCookie(accessTokenCookie, "", 0),
];

export const nobodySignedIn = () =>
  unauthenticated("Nobody is signed in in this browser.", {
    headers: { "Set-Cookie": clearedCookies },
  });

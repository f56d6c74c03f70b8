/**
 * A revocation: access tokens that are refused although they have not expired. It names them by what
 * their claims say, so that a service can tell without asking. What is revoked here is access tokens
 * only; accounts, grants, clients and keys themselves are their own folders' business. A revocation is
 * kept for as long as a token that it refuses could be used.
 */
import type { Revocation } from "@portico/service-kit";
import { rememberedMs } from "../clients/known-clients.ts";
import { accessTokenLifetimeS } from "../oidc/resource-server.ts";

/** For clocks that differ, and for a token that was being made while it was revoked. */
const slackS = 300;

export const keptS = accessTokenLifetimeS + slackS;

const until = (now: Date): number => Math.floor(now.getTime() / 1000) + keptS;

/** @param version the first one that is accepted (claim `account_version`) */
export const accountBelow = (id: string, version: number, now: Date): Revocation => ({
  kind: "account",
  id,
  below: version,
  until: until(now),
});

export const grantOf = (id: string, now: Date): Revocation => ({
  kind: "grant",
  id,
  until: until(now),
});

/**
 * What a client gets in the same second is refused too: `iat` says no more than seconds. So is what it
 * gets until every instance has heard that it is not what it was.
 */
export const clientUntil = (id: string, now: Date): Revocation => ({
  kind: "client",
  id,
  issuedBefore: Math.floor((now.getTime() + rememberedMs) / 1000) + 1,
  until: until(now),
});

export const tokenNamed = (id: string, now: Date): Revocation => ({
  kind: "token",
  id,
  until: until(now),
});

export const keyNamed = (id: string, now: Date): Revocation => ({
  kind: "key",
  id,
  until: until(now),
});

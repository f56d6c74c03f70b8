/** What is kept of browsers' sessions, grants and refresh tokens -> sessions as people understand them. */

import { accessTokenLifetimeS } from "../oidc/resource-server.ts";
import type { LastUse } from "../refresh-tokens/family-store.ts";
import type { KeptSession } from "./keep-sessions.ts";
import type { Session } from "./session.ts";

const fromSeconds = (seconds: number | undefined): Date => new Date((seconds ?? 0) * 1000);

const latest = (dates: readonly Date[]): Date =>
  new Date(Math.max(...dates.map((date) => date.getTime())));

/** Of the clients that a browser's session serves. */
const authorizationsOf = ({ payload }: KeptSession) =>
  Object.entries(payload.authorizations ?? {}).flatMap(([clientId, { grantId }]) =>
    grantId === undefined ? [] : [{ clientId, grantId }],
  );

export const grantIdsOf = (browser: KeptSession): string[] =>
  authorizationsOf(browser).map(({ grantId }) => grantId);

export function toSessions(
  browsers: readonly KeptSession[],
  grants: readonly KeptSession[],
  uses: readonly LastUse[],
  now: Date,
): Session[] {
  const inBrowsers = new Set(browsers.flatMap(grantIdsOf));
  const usesOf = (grantIds: readonly string[]) =>
    uses.filter(({ grantId }) => grantIds.includes(grantId));
  const alone = grants.filter(({ _id }) => !inBrowsers.has(_id));
  const found = [
    ...browsers.map((browser) => fromBrowser(browser, usesOf(grantIdsOf(browser)))),
    ...alone.flatMap((grant) => fromGrant(grant, usesOf([grant._id]), now)),
  ];
  return found
    .filter(({ expiresAt }) => expiresAt > now)
    .sort(
      (one, other) =>
        other.startedAt.getTime() - one.startedAt.getTime() || (one.id < other.id ? -1 : 1),
    );
}

const fromBrowser = (browser: KeptSession, uses: readonly LastUse[]): Session => {
  const { payload, uid = "", device = null, usedAt, expiresAt } = browser;
  const startedAt = fromSeconds(payload.loginTs);
  return {
    id: uid,
    device,
    clients: authorizationsOf(browser).map(({ clientId }) => clientId),
    grantIds: grantIdsOf(browser),
    startedAt,
    lastUsedAt: latest([usedAt ?? startedAt, ...uses.map((use) => use.usedAt)]),
    expiresAt: expiresAt ?? fromSeconds(payload.exp),
  };
};

/** A grant without a session counts while somebody can have a token of it. */
const fromGrant = (grant: KeptSession, uses: readonly LastUse[], now: Date): Session[] => {
  const { _id, payload, device = null } = grant;
  const startedAt = fromSeconds(payload.iat);
  const firstTokenEnds = new Date(startedAt.getTime() + accessTokenLifetimeS * 1000);
  if (uses.length === 0 && firstTokenEnds <= now) return [];
  return [
    {
      id: _id,
      device,
      clients: [String(payload.clientId)],
      grantIds: [_id],
      startedAt,
      lastUsedAt: latest([startedAt, ...uses.map(({ usedAt }) => usedAt)]),
      expiresAt: latest([firstTokenEnds, ...uses.map((use) => use.expiresAt)]),
    },
  ];
};

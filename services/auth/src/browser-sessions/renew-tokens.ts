import { setTimeout as sleep } from "node:timers/promises";
import { Problem, unavailable, type VerifyAccessToken } from "@portico/service-kit";
import { type BrowserSession, isWorn, type Tokens } from "./browser-session.ts";
import type { BrowserSessionStore } from "./browser-session-store.ts";
import type { OwnClient } from "./own-client.ts";

/** Answers the session with an access token that is good for a while; undefined when it has ended. */
export type RenewTokens = (sessionId: string) => Promise<BrowserSession | undefined>;

type Dependencies = {
  sessions: BrowserSessionStore;
  ownClient: Pick<OwnClient, "renew">;
  verifyAccessToken: VerifyAccessToken;
  now?: () => Date;
};

const askAgainMs = 50;
const longestWaitMs = 8_000;

/**
 * A browser's tabs ask at the same time, and perhaps at several instances. One of them gets new tokens;
 * the others wait for those. Killed in between, its refresh token is still the one that the next has to
 * use: the same one again gets the same successor (docs/decisions/0009).
 */
export function renewTokensWith(dependencies: Dependencies): RenewTokens {
  const { sessions, ownClient, verifyAccessToken, now = () => new Date() } = dependencies;

  /** Also of a token that was revoked, because a role was taken away: the next one is without it. */
  const isGood = async (tokens: Tokens): Promise<boolean> => {
    if (isWorn(tokens, now())) return false;
    try {
      await verifyAccessToken(tokens.accessToken);
      return true;
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return false;
      throw error;
    }
  };

  const renew = async (id: string, session: BrowserSession) => {
    const tokens = await ownClient.renew(session.tokens.refreshToken).catch(async (error) => {
      await sessions.giveBack(id);
      throw error;
    });
    if (!tokens) {
      await sessions.remove(id);
      return undefined;
    }
    await sessions.renew(id, tokens);
    return { ...session, tokens };
  };

  return async (id) => {
    const deadline = performance.now() + longestWaitMs;
    while (performance.now() < deadline) {
      const session = await sessions.find(id, now());
      if (!session || (await isGood(session.tokens))) return session;
      if (await sessions.claim(id, now())) return renew(id, session);
      await sleep(askAgainMs);
    }
    throw unavailable(undefined, { headers: { "Retry-After": "1" } });
  };
}

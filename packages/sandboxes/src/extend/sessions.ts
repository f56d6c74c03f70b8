/** Classic sign-in: pairs of an access token and a refresh token, both opaque, both rotated together. */
import { randomBytes } from "node:crypto";
import { accessTokenLifeMs, refreshTokenLifeMs } from "./contract.ts";

export type Session = { email: string; token: string; refreshToken: string };

type KeptSession = Session & { tokenExpiresAtMs: number; refreshExpiresAtMs: number };

export type Sessions = {
  open(email: string): Session;
  /** A new pair for a refresh token that is still good; the old pair is dead from then on. */
  renew(refreshToken: string): Session | undefined;
  /** Whose access token this is, while it lives. */
  emailOf(token: string): string | undefined;
  revoke(token: string, options: { withRefreshToken: boolean }): void;
  clear(): void;
};

const maxSessions = 10_000;

const newToken = (): string => randomBytes(32).toString("base64url");

export function createSessions(now: () => number): Sessions {
  const byToken = new Map<string, KeptSession>();
  const byRefreshToken = new Map<string, KeptSession>();

  const forget = (session: KeptSession): void => {
    byToken.delete(session.token);
    byRefreshToken.delete(session.refreshToken);
  };

  const open = (email: string): Session => {
    const session = {
      email,
      token: newToken(),
      refreshToken: newToken(),
      tokenExpiresAtMs: now() + accessTokenLifeMs,
      refreshExpiresAtMs: now() + refreshTokenLifeMs,
    };
    byToken.set(session.token, session);
    byRefreshToken.set(session.refreshToken, session);
    const [oldest] = byRefreshToken.values();
    if (byRefreshToken.size > maxSessions && oldest) forget(oldest);
    return session;
  };

  return {
    open,
    renew(refreshToken) {
      const session = byRefreshToken.get(refreshToken);
      if (!session) return undefined;
      forget(session);
      return session.refreshExpiresAtMs > now() ? open(session.email) : undefined;
    },
    emailOf(token) {
      const session = byToken.get(token);
      return session && session.tokenExpiresAtMs > now() ? session.email : undefined;
    },
    revoke(token, { withRefreshToken }) {
      const session = byToken.get(token);
      if (!session) return;
      byToken.delete(token);
      if (withRefreshToken) forget(session);
    },
    clear() {
      byToken.clear();
      byRefreshToken.clear();
    },
  };
}

import {
  answer,
  anyone,
  endpoint,
  forbidden,
  readCookie,
  requireOwnPage,
} from "@portico/service-kit";
import { isOf } from "../sessions/session.ts";
import type { SessionStore } from "../sessions/session-store.ts";
import { browserSessionPath, clearedCookies, sessionCookie } from "./browser-session.ts";
import type { BrowserSessions } from "./create-browser-sessions.ts";

/**
 * Signs the person out in this browser: this session, the one at auth that it lives under, and every token
 * of both. Without the second, the next sign-in would ask nobody for a password.
 */
export const endBrowserSession = (
  browserSessions: Pick<BrowserSessions, "store">,
  sessions: Pick<SessionStore, "list" | "end" | "endGrant">,
  now: () => Date = () => new Date(),
) =>
  endpoint({
    method: "delete",
    path: browserSessionPath,
    summary: "Sign out in this browser",
    description: "Also where nobody is signed in. For a page of this origin only.",
    guard: anyone,
    reply: { status: 204, headers: { "Set-Cookie": "Both cookies, cleared" } },
    problems: [forbidden],

    async handle({ header }) {
      requireOwnPage(header);
      const id = readCookie(header("cookie"), sessionCookie);
      const ended = id && (await browserSessions.store.find(id, now()));
      if (ended) {
        const list = await sessions.list(ended.accountId);
        const around = list.find((session) => isOf(session, ended.grantId));
        if (around) await sessions.end(ended.accountId, around.id);
        else await sessions.endGrant(ended.grantId);
        await browserSessions.store.remove(id);
      }
      return answer(undefined, { headers: { "Set-Cookie": clearedCookies } });
    },
  });

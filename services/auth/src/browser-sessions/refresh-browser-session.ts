import {
  answer,
  anyone,
  endpoint,
  forbidden,
  readCookie,
  requireOwnPage,
} from "@portico/service-kit";
import { z } from "zod";
import {
  accessCookieOf,
  browserSessionPath,
  nobodySignedIn,
  sessionCookie,
} from "./browser-session.ts";
import type { BrowserSessions } from "./create-browser-sessions.ts";

/** Gives the browser an access token that is good for a while longer. */
export const refreshBrowserSession = (
  browserSessions: Pick<BrowserSessions, "renewTokens">,
  now: () => Date = () => new Date(),
) =>
  endpoint({
    method: "post",
    path: `${browserSessionPath}/refresh`,
    summary: "Refresh this browser's session",
    description: "Several tabs may ask at once. For a page of this origin only.",
    guard: anyone,
    reply: {
      status: 200,
      body: z.object({ expiresAt: z.iso.datetime(), accessTokenExpiresAt: z.iso.datetime() }),
      headers: { "Set-Cookie": "The access token, for no script to read" },
    },
    problems: [forbidden],

    async handle({ header }) {
      requireOwnPage(header);
      const id = readCookie(header("cookie"), sessionCookie);
      const session = id && (await browserSessions.renewTokens(id));
      if (!session) throw nobodySignedIn();
      const { expiresAt, tokens } = session;
      return answer(
        {
          expiresAt: expiresAt.toISOString(),
          accessTokenExpiresAt: tokens.accessTokenExpiresAt.toISOString(),
        },
        { headers: { "Set-Cookie": accessCookieOf(tokens, now()), "Cache-Control": "no-store" } },
      );
    },
  });

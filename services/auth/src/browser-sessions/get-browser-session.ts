import { answer, anyone, endpoint, readCookie } from "@portico/service-kit";
import { z } from "zod";
import { Profile, toProfile } from "../accounts/account.ts";
import type { FreshAccounts } from "../accounts/fresh-accounts.ts";
import { isOf } from "../sessions/session.ts";
import type { SessionStore } from "../sessions/session-store.ts";
import { browserSessionPath, nobodySignedIn, sessionCookie } from "./browser-session.ts";
import type { BrowserSessions } from "./create-browser-sessions.ts";

/** Who is signed in in this browser, and until when: what an app asks when its page is loaded. */
export const getBrowserSession = (
  browserSessions: Pick<BrowserSessions, "store">,
  sessions: Pick<SessionStore, "list">,
  accounts: FreshAccounts,
  now: () => Date = () => new Date(),
) =>
  endpoint({
    method: "get",
    path: browserSessionPath,
    summary: "Read this browser's session",
    guard: anyone,
    reply: {
      status: 200,
      body: z.object({
        account: Profile,
        expiresAt: z.iso.datetime(),
        accessTokenExpiresAt: z.iso.datetime().meta({ description: "Refresh the session before" }),
      }),
      headers: { "Cache-Control": "no-store" },
    },

    async handle({ header }) {
      const id = readCookie(header("cookie"), sessionCookie);
      const found = id && (await browserSessions.store.find(id, now()));
      if (!found) throw nobodySignedIn();

      const [account, list] = await Promise.all([
        accounts.find(found.accountId),
        sessions.list(found.accountId),
      ]);
      const isAlive = list.some((session) => isOf(session, found.grantId));
      if (!account || !isAlive) throw nobodySignedIn();

      return answer(
        {
          account: toProfile(account),
          expiresAt: found.expiresAt.toISOString(),
          accessTokenExpiresAt: found.tokens.accessTokenExpiresAt.toISOString(),
        },
        { headers: { "Cache-Control": "no-store" } },
      );
    },
  });

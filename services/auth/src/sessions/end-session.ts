import { endpoint, notFound, signedIn } from "@portico/service-kit";
import { z } from "zod";
import { SessionId } from "./session.ts";
import type { SessionStore } from "./session-store.ts";

/** Signs one device out. Its access tokens are refused everywhere within a second. */
export const endSession = (sessions: SessionStore) =>
  endpoint({
    method: "delete",
    path: "/auth/sessions/:sessionId",
    summary: "End one of your sessions",
    guard: signedIn,
    params: z.object({ sessionId: SessionId }),
    reply: { status: 204 },
    problems: [notFound],

    async handle({ caller, params }) {
      // Somebody else's looks exactly like one that is not there.
      if (!(await sessions.end(caller.subject, params.sessionId))) throw notFound();
      return undefined;
    },
  });

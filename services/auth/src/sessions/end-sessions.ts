import { endpoint, signedIn } from "@portico/service-kit";
import { z } from "zod";
import { isOf } from "./session.ts";
import type { SessionStore } from "./session-store.ts";

/** Signs the caller out everywhere, or everywhere else. */
export const endSessions = (sessions: SessionStore) =>
  endpoint({
    method: "delete",
    path: "/auth/sessions",
    summary: "End all of your sessions",
    guard: signedIn,
    query: z.object({
      except: z
        .literal("current")
        .optional()
        .meta({ description: "Leaves the session that this request's token belongs to" }),
    }),
    reply: { status: 204 },

    async handle({ caller, query }) {
      const current =
        query.except &&
        (await sessions.list(caller.subject)).find((session) => isOf(session, caller.grantId));
      await sessions.endAll(caller.subject, { except: current?.id });
      return undefined;
    },
  });

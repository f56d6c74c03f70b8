import {
  answerPage,
  decodeCursor,
  endpoint,
  PageQuery,
  pageOf,
  signedIn,
  toPage,
} from "@portico/service-kit";
import { z } from "zod";
import { type Session, SessionView, toView } from "./session.ts";
import type { SessionStore } from "./session-store.ts";

const Key = z.tuple([z.int(), z.string()]);

const keyOf = ({ startedAt, id }: Session) => [startedAt.getTime(), id] as const;

const isAfter = (session: Session, [at, id]: z.output<typeof Key>): boolean => {
  const [startedAt, own] = keyOf(session);
  return startedAt < at || (startedAt === at && own > id);
};

/** Where the caller is signed in, the newest first. */
export const listSessions = (sessions: SessionStore) =>
  endpoint({
    method: "get",
    path: "/auth/sessions",
    summary: "List your sessions",
    guard: signedIn,
    query: PageQuery,
    reply: { status: 200, body: pageOf(SessionView), headers: { Link: "The next page" } },

    async handle({ caller, query: { limit, after }, url }) {
      const all = await sessions.list(caller.subject);
      const key = after && decodeCursor(after, Key);
      const found = key ? all.filter((session) => isAfter(session, key)) : all;
      const { items, nextCursor } = toPage(found, limit, keyOf);
      return answerPage(
        { items: items.map((session) => toView(session, caller.grantId)), nextCursor },
        url,
      );
    },
  });

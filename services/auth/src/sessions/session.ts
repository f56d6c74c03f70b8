/**
 * Sessions: where a person is signed in, and until when. Most are the protocol library's own, one for
 * each browser, with everything that clients were granted in it. A grant that lives without one (a
 * sign-in of the platform's own front end, an application with offline access) is a session too. This
 * folder lists and ends them; how somebody signs in is not its business.
 */
import { z } from "zod";

export const SessionId = z.string().min(1).max(100).meta({ description: "Id of a session" });

/** What a person sees of a session of theirs. */
export const SessionView = z
  .object({
    id: SessionId,
    device: z.string().nullable().meta({ description: "What the browser says it is" }),
    clients: z.array(z.string()).meta({ description: "Ids of the applications that it serves" }),
    startedAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().meta({
      description: "When it last got an access token, so up to ten minutes before its last request",
    }),
    expiresAt: z.iso.datetime(),
    current: z.boolean().meta({ description: "Whether this request's token belongs to it" }),
  })
  .meta({ id: "Session" });

export type SessionView = z.output<typeof SessionView>;

export type Session = {
  id: string;
  device: string | null;
  clients: string[];
  /** What was granted in it: the tokens of these end with it. */
  grantIds: string[];
  startedAt: Date;
  lastUsedAt: Date;
  expiresAt: Date;
};

/** @param grantId of the access token that asks */
export const toView = (session: Session, grantId: string | undefined): SessionView => ({
  id: session.id,
  device: session.device,
  clients: session.clients,
  startedAt: session.startedAt.toISOString(),
  lastUsedAt: session.lastUsedAt.toISOString(),
  expiresAt: session.expiresAt.toISOString(),
  current: isOf(session, grantId),
});

export const isOf = (session: Session, grantId: string | undefined): boolean =>
  grantId !== undefined && session.grantIds.includes(grantId);

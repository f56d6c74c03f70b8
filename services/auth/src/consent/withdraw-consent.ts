import type { Connection } from "mongoose";
import type { SessionStore } from "../sessions/session-store.ts";
import type { ConsentStore } from "./consent-store.ts";

/** Takes a consent back, with all that the client got by it. False when there was none. */
export type WithdrawConsent = (accountId: string, clientId: string) => Promise<boolean>;

export const withdrawConsentWith =
  (
    connection: Connection,
    consents: Pick<ConsentStore, "remove">,
    sessions: Pick<SessionStore, "endGrantsTo">,
  ): WithdrawConsent =>
  (accountId, clientId) =>
    connection.transaction(async (session) => {
      const isRemoved = await consents.remove(accountId, clientId, session);
      // Our own clients need no consent: their sign-ins end at the list of sessions, not by the way.
      if (isRemoved) await sessions.endGrantsTo(clientId, accountId, session);
      return isRemoved;
    }) as Promise<boolean>;

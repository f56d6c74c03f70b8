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
      await sessions.endGrantsTo(clientId, accountId, session);
      return consents.remove(accountId, clientId, session);
    }) as Promise<boolean>;

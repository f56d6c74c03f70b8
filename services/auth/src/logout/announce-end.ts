import type { Outbox } from "@portico/service-kit/events";
import type { ClientSession } from "mongoose";
import type { KnownClients } from "../clients/known-clients.ts";
import type { KeptSession } from "../sessions/keep-sessions.ts";
import { clientSignedOut } from "./announce-sign-out.ts";

/** A session that ends otherwise than by the library's sign-out: its clients are told of that as well. */
export type AnnounceEnd = (ended: KeptSession, session: ClientSession) => Promise<void>;

export const announceEndWith =
  (clients: Pick<KnownClients, "find">, outbox: Pick<Outbox, "emit">): AnnounceEnd =>
  async ({ payload }, session) => {
    const accountId = payload.accountId;
    if (accountId === undefined) return;
    for (const [clientId, { sid }] of Object.entries(payload.authorizations ?? {})) {
      const client = await clients.find(clientId);
      if (!client?.backchannel_logout_uri) continue;
      await outbox.emit(clientSignedOut({ clientId, accountId, sid }), session);
    }
  };

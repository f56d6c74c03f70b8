/**
 * Clients as the protocol library asks for them: several times for each request, and always for the same
 * few. So each is remembered for a moment. A change is known at once to the instance that made it, and
 * when that moment is over to every other one.
 */
import type { Adapter } from "oidc-provider";
import type { ClientMetadata } from "./client.ts";
import type { ClientStore } from "./client-store.ts";

/** Revocations of a client reach as far beyond their time as this. */
export const rememberedMs = 1_000;

export type KnownClients = {
  find(id: string): Promise<ClientMetadata | undefined>;
  forget(id: string): void;
};

export function rememberClients(
  clients: Pick<ClientStore, "findMetadata">,
  now: () => number = Date.now,
): KnownClients {
  const known = new Map<string, { askedAt: number; client: Promise<ClientMetadata | undefined> }>();

  const ask = (id: string) => {
    const client = clients.findMetadata(id);
    const entry = { askedAt: now(), client };
    known.set(id, entry);
    const forget = () => {
      if (known.get(id) === entry) known.delete(id);
    };
    // Only what is there: anybody can make up ids.
    client.then((found) => found ?? forget(), forget);
    return client;
  };

  return {
    find(id) {
      const entry = known.get(id);
      return entry && now() - entry.askedAt < rememberedMs ? entry.client : ask(id);
    },
    forget: (id) => known.delete(id),
  };
}

/** Read only: who registers clients does it through the store. */
export const clientAdapter = (clients: KnownClients): Adapter => {
  const readOnly = () => Promise.reject(new Error("The protocol library changes no clients."));
  return {
    find: clients.find,
    upsert: readOnly,
    destroy: readOnly,
    consume: readOnly,
    revokeByGrantId: readOnly,
    findByUid: readOnly,
    findByUserCode: readOnly,
  };
};

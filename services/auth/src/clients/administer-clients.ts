/**
 * What administrators do with clients. Whatever takes something from a client also ends the access tokens
 * that it has, in the same transaction: none that says otherwise outlives the change.
 */
import { randomUUID } from "node:crypto";
import type { Connection } from "mongoose";
import type { ConsentStore } from "../consent/consent-store.ts";
import type { Revoke } from "../revocation/revoke.ts";
import { hashSecret, newSecret } from "./client.ts";
import type { Client } from "./client-metadata.ts";
import type { ClientStore } from "./client-store.ts";
import type { KnownClients } from "./known-clients.ts";
import { type Change, type Registration, requireSound } from "./registration.ts";

export type Registered = { client: Client; secret: string | undefined };
export type ChangeResult = Client | "unknown" | "changed-meanwhile";

export type ClientAdministration = Pick<ClientStore, "find" | "list"> & {
  /** Throws 400 with all that does not go together. */
  register(registration: Registration): Promise<Registered>;
  change(id: string, change: Change): Promise<ChangeResult>;
  /**
   * A new secret; undefined for a client that has none, or is not there.
   * @param previousForS how long the one before it stays good; with 0 its tokens end too
   */
  changeSecret(id: string, previousForS: number): Promise<string | undefined>;
  /** False when there is no such client. */
  remove(id: string): Promise<boolean>;
};

type Dependencies = {
  connection: Connection;
  clients: ClientStore;
  known: Pick<KnownClients, "forget">;
  revoke: Pick<Revoke, "client">;
  consents: Pick<ConsentStore, "removeAllTo">;
  /** The platform is at a loopback address, so its clients may be there too. */
  onLaptop: boolean;
};

export function administerClientsWith(dependencies: Dependencies): ClientAdministration {
  const { connection, clients, known, revoke, consents, onLaptop } = dependencies;

  return {
    find: clients.find,
    list: clients.list,

    async register(registration) {
      requireSound(registration, onLaptop);
      const secret = usesSecret(registration) ? newSecret() : undefined;
      const client: Client = {
        id: randomUUID(),
        registration,
        disabled: false,
        createdAt: new Date(),
        revision: 1,
      };
      await clients.create(client, secret && hashSecret(secret));
      return { client, secret };
    },

    async change(id, { disabled, ...change }) {
      const before = await clients.find(id);
      if (!before) return "unknown";
      const registration = { ...before.registration, ...change };
      requireSound(registration, onLaptop);
      const after = { ...before, registration, disabled: disabled ?? before.disabled };
      const isDone = await connection.transaction(async (session) => {
        if (!(await clients.replace(after, session))) return false;
        if (takesSomething(before, after)) await revoke.client(id, session);
        return true;
      });
      known.forget(id);
      return isDone ? { ...after, revision: after.revision + 1 } : "changed-meanwhile";
    },

    async changeSecret(id, previousForS) {
      const secret = newSecret();
      const succession = {
        secretHash: hashSecret(secret),
        previousUntil: new Date(Date.now() + previousForS * 1000),
      };
      const isDone = await connection.transaction(async (session) => {
        if (!(await clients.succeedSecret(id, succession, session))) return false;
        if (previousForS === 0) await revoke.client(id, session);
        return true;
      });
      known.forget(id);
      return isDone ? secret : undefined;
    },

    async remove(id) {
      const isDone = await connection.transaction(async (session) => {
        if (!(await clients.remove(id, session))) return false;
        await consents.removeAllTo(id, session);
        await revoke.client(id, session);
        return true;
      });
      known.forget(id);
      return isDone;
    },
  };
}

const usesSecret = ({ token_endpoint_auth_method: method }: Registration): boolean =>
  method === "client_secret_basic" || method === "client_secret_post";

/** Everything but names and addresses: a token says what these were when it was made. */
function takesSomething(before: Client, after: Client): boolean {
  const [old, now] = [before.registration, after.registration];
  const lost = (list: readonly string[], left: readonly string[]) =>
    list.some((item) => !left.includes(item));
  return (
    (after.disabled && !before.disabled) ||
    lost(old.scope.split(" "), now.scope.split(" ")) ||
    lost(old.grant_types, now.grant_types) ||
    (now.dpop_bound_access_tokens && !old.dpop_bound_access_tokens) ||
    (now.third_party && !old.third_party)
  );
}

/** Writes clients as the protocol library's adapter reads them. */
import type { Connection } from "mongoose";
import { type ClientMetadata, hashSecret } from "./client.ts";

type ClientDocument = { _id: string; payload: ClientMetadata };

export type ClientStore = { save(metadata: ClientMetadata): Promise<void> };

export function createClientStore(connection: Connection): ClientStore {
  const clients = connection.getClient().db(connection.name).collection<ClientDocument>("clients");

  return {
    async save({ client_secret, ...metadata }) {
      const payload = {
        ...metadata,
        ...(client_secret && { client_secret: hashSecret(client_secret) }),
      };
      await clients.replaceOne({ _id: metadata.client_id }, { payload }, { upsert: true });
    },
  };
}

/** Writes clients where the protocol library reads them. */
import type { Adapter } from "oidc-provider";
import { type ClientMetadata, hashSecret } from "./client.ts";

export type ClientStore = { save(metadata: ClientMetadata): Promise<void> };

export const createClientStore = (adapter: Adapter): ClientStore => ({
  async save({ client_secret, ...metadata }) {
    await adapter.upsert(metadata.client_id, {
      ...metadata,
      ...(client_secret && { client_secret: hashSecret(client_secret) }),
    });
  },
});

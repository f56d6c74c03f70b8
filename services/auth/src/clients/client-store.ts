/** The only file that knows how clients are kept: what the protocol library reads, and what is ours beside it. */
import type { ClientSession, Connection } from "mongoose";
import { type ClientMetadata, hashSecret } from "./client.ts";
import { type Client, fromMetadata, secretsOf, toMetadata } from "./client-metadata.ts";

type ClientDocument = {
  _id: string;
  payload: ClientMetadata;
  /** Not in documents that the seed wrote before there were such fields. */
  disabled?: boolean;
  createdAt?: Date;
  revision?: number;
};

/** Of a secret that is being replaced. */
export type Succession = { secretHash: string; previousUntil: Date };

export type ClientStore = {
  /** Makes it, or makes it what it is to be. */
  save(metadata: ClientMetadata): Promise<void>;
  /** What the protocol library knows of a client that is not disabled. */
  findMetadata(id: string): Promise<ClientMetadata | undefined>;
  find(id: string): Promise<Client | undefined>;
  list(after: string | undefined, limit: number): Promise<Client[]>;
  create(client: Client, secretHash: string | undefined): Promise<void>;
  /** False when it was changed since it was read. */
  replace(client: Client, session: ClientSession): Promise<boolean>;
  /** False for a client that has no secret. */
  succeedSecret(id: string, succession: Succession, session: ClientSession): Promise<boolean>;
  remove(id: string, session: ClientSession): Promise<boolean>;
};

export function createClientStore(connection: Connection): ClientStore {
  const clients = connection.getClient().db(connection.name).collection<ClientDocument>("clients");

  return {
    async save({ client_secret, ...metadata }) {
      const payload = {
        ...metadata,
        ...(client_secret && { client_secret: hashSecret(client_secret) }),
      };
      await clients.updateOne(
        { _id: metadata.client_id },
        {
          $set: { payload, disabled: false },
          $setOnInsert: { createdAt: new Date() },
          $inc: { revision: 1 },
        },
        { upsert: true },
      );
    },

    async findMetadata(id) {
      const document = await clients.findOne({ _id: id });
      return document && !document.disabled ? document.payload : undefined;
    },

    async find(id) {
      const document = await clients.findOne({ _id: id });
      return document ? toClient(document) : undefined;
    },

    async list(after, limit) {
      const found = await clients
        .find(after === undefined ? {} : { _id: { $gt: after } })
        .sort({ _id: 1 })
        .limit(limit)
        .toArray();
      return found.map(toClient);
    },

    async create({ id, registration, disabled, createdAt, revision }, secretHash) {
      const payload = {
        ...toMetadata(id, registration),
        ...(secretHash && { client_secret: secretHash }),
      };
      await clients.insertOne({ _id: id, payload, disabled, createdAt, revision });
    },

    async replace({ id, registration, disabled, revision }, session) {
      const kept = await clients.findOne({ _id: id }, { session });
      if (!kept || (kept.revision ?? 0) !== revision) return false;
      const payload = { ...toMetadata(id, registration), ...secretsOf(kept.payload) };
      const document = { payload, disabled, revision: revision + 1 };
      await clients.updateOne({ _id: id }, { $set: document }, { session });
      return true;
    },

    async succeedSecret(id, { secretHash, previousUntil }, session) {
      const endsAtS = Math.floor(previousUntil.getTime() / 1000);
      const { matchedCount } = await clients.updateOne(
        { _id: id, "payload.client_secret": { $exists: true } },
        [
          {
            $set: {
              "payload.previous_client_secret": "$payload.client_secret",
              "payload.previous_client_secret_expires_at": endsAtS,
              "payload.client_secret": { $literal: secretHash },
              revision: { $add: [{ $ifNull: ["$revision", 0] }, 1] },
            },
          },
        ],
        { session },
      );
      return matchedCount === 1;
    },

    async remove(id, session) {
      const { deletedCount } = await clients.deleteOne({ _id: id }, { session });
      return deletedCount === 1;
    },
  };
}

const toClient = ({ _id, payload, disabled, createdAt, revision }: ClientDocument): Client => ({
  id: _id,
  registration: fromMetadata(payload),
  disabled: disabled ?? false,
  createdAt: createdAt ?? new Date(0),
  revision: revision ?? 0,
});

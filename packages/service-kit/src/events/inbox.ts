/**
 * What a consumer group has handled. The entry is written in the handler's own transaction, so an
 * event changes the database once, however often it is delivered.
 */
import type { ClientSession, Connection } from "mongoose";
import type { Migration } from "../migrations.ts";
import { isDuplicateKey } from "../mongo.ts";
import type { CloudEvent } from "./event.ts";

export type EventHandler = (event: CloudEvent, session: ClientSession) => Promise<void>;

type InboxDocument = { _id: string; handledAt: Date };

/** Longer than an outbox keeps events, so that a resend never finds a forgotten one. */
const rememberedDays = 14;

export const inboxMigration: Migration = {
  id: "0000-inbox",
  async up(db) {
    await db
      .collection("inbox")
      .createIndex({ handledAt: 1 }, { expireAfterSeconds: rememberedDays * 86_400 });
  },
};

export type Inbox = {
  /** Runs `handler` in a transaction, unless the group has handled the event before. */
  handleOnce(event: CloudEvent, handler: EventHandler): Promise<void>;
};

export function createInbox(connection: Connection, group: string): Inbox {
  const inbox = connection.getClient().db(connection.name).collection<InboxDocument>("inbox");
  return {
    async handleOnce(event, handler) {
      const _id = `${group}:${event.id}`;
      if (await inbox.findOne({ _id }, { projection: { _id: 1 } })) return;
      try {
        await connection.transaction(async (session) => {
          await handler(event, session);
          // Last, so that its lock is short: an instance that is killed in a long handler would
          // otherwise keep everyone else from the event until MongoDB gives the transaction up.
          await inbox.insertOne({ _id, handledAt: new Date() }, { session });
        });
      } catch (error) {
        // Handled meanwhile; a duplicate of the handler's own would name another collection.
        if (isDuplicateKey(error) && String(error).includes(".inbox ")) return;
        throw error;
      }
    },
  };
}

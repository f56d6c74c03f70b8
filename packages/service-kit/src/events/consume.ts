/**
 * The receiving half: a consumer group on the streams of other services (or one's own). An event is
 * handled in a MongoDB transaction together with its entry in the inbox, so that a second delivery
 * changes nothing. What a handler does outside that transaction (an e-mail) may happen again after a
 * crash, never not at all. A failed event is tried again with growing pauses, for ever, beside the others.
 */
import type { Redis } from "ioredis";
import type { ClientSession, Connection } from "mongoose";
import type { Logger } from "../logger.ts";
import type { Migration } from "../migrations.ts";
import { isDuplicateKey } from "../mongo.ts";
import { continueTrace, inTrace } from "../trace.ts";
import { CloudEvent, streamOf } from "./event.ts";
import { repeat } from "./repeat.ts";

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

export type Consumer = { stop(): Promise<void> };

type Entry = [entryId: string, fields: string[]];

export type ConsumerOptions = {
  /** The consuming service: one delivery for each group. */
  group: string;
  /** Unique for each instance. */
  instance: string;
  /** Services whose events are read. */
  sources: readonly string[];
  /** Full event type -> handler; other types are passed over. */
  handlers: Record<string, EventHandler>;
  connection: Connection;
  /** A connection of its own, without key prefix: it blocks. */
  redis: Redis;
  logger: Logger;
};

export function startConsumer(options: ConsumerOptions): Consumer {
  const { group, instance, redis, logger, connection, handlers } = options;
  const streams = options.sources.map(streamOf);
  const inbox = connection.getClient().db(connection.name).collection<InboxDocument>("inbox");

  const handleOnce = async (event: CloudEvent, handler: EventHandler) => {
    try {
      await connection.transaction(async (session) => {
        await inbox.insertOne({ _id: `${group}:${event.id}`, handledAt: new Date() }, { session });
        await handler(event, session);
      });
    } catch (error) {
      // Handled before; a duplicate of the handler's own would name another collection.
      if (isDuplicateKey(error) && String(error).includes(".inbox ")) return;
      throw error;
    }
  };

  const receive = async (stream: string, [entryId, fields]: Entry) => {
    const event = CloudEvent.parse(JSON.parse(fields[1] ?? "null"));
    const handler = handlers[event.type];
    if (handler) {
      await inTrace(continueTrace(event.traceparent), () => handleOnce(event, handler));
    }
    await redis.xack(stream, group, entryId);
  };

  const receiveAll = (stream: string, entries: readonly Entry[]) =>
    Promise.all(
      entries.map((entry) =>
        receive(stream, entry).catch((error) =>
          logger.warn("event.failed", { stream, entry: entry[0], error }),
        ),
      ),
    );

  /** New events, as they come. */
  const readNew = async (): Promise<boolean> => {
    const found = (await redis.xreadgroup(
      "GROUP",
      group,
      instance,
      "COUNT",
      16,
      "BLOCK",
      1_000,
      "STREAMS",
      ...streams,
      ...streams.map(() => ">"),
    )) as [stream: string, entries: Entry[]][] | null;
    for (const [stream, entries] of found ?? []) await receiveAll(stream, entries);
    return true;
  };

  const createGroups = () =>
    Promise.all(
      streams.map((stream) =>
        redis.xgroup("CREATE", stream, group, "0", "MKSTREAM").catch((error: Error) => {
          if (!error.message.startsWith("BUSYGROUP")) throw error;
        }),
      ),
    );

  /** Redis forgot our group (flushed, restarted): make it again and read from the start. */
  const readOrRecover = async (): Promise<boolean> => {
    try {
      return await readNew();
    } catch (error) {
      if (!String(error).includes("NOGROUP")) throw error;
      await createGroups();
      return true;
    }
  };

  /** Events that failed, or whose reader died: once more, each after a pause that grows. */
  const retry = async (): Promise<boolean> => {
    for (const stream of streams) {
      const pending = (await redis.xpending(stream, group, "IDLE", 1_000, "-", "+", 16)) as [
        entryId: string,
        reader: string,
        idleMs: number,
        deliveries: number,
      ][];
      for (const [entryId, , idleMs, deliveries] of pending) {
        if (idleMs < pauseMs(deliveries)) continue;
        const claimed = await redis.xclaim(stream, group, instance, pauseMs(deliveries), entryId);
        await receiveAll(stream, claimed as Entry[]);
      }
    }
    return false;
  };

  const reading = repeat(readOrRecover, { everyMs: 500, name: "events.read", logger });
  const retrying = repeat(retry, { everyMs: 1_000, name: "events.retry", logger });

  return {
    async stop() {
      await Promise.all([reading.stop(), retrying.stop()]);
    },
  };
}

/** 1 s, 2 s, 4 s … at most a minute. */
const pauseMs = (deliveries: number): number => Math.min(1_000 * 2 ** (deliveries - 1), 60_000);

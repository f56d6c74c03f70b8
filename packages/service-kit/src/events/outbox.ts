/**
 * The sending half. An event is committed together with the change that it tells; a relay then moves
 * it to the Redis stream and marks it. Killed between the two, it is sent again: at least once.
 * Redis may be flushed at any moment, or be replaced by one that lacks the last seconds: then a marker
 * is missing or wrong there, and everything that the outbox still holds is sent once more.
 */
import type { Redis } from "ioredis";
import type { ClientSession, Connection } from "mongoose";
import type { Logger } from "../logger.ts";
import type { Migration } from "../migrations.ts";
import { type CloudEvent, type EventToSend, streamOf, toCloudEvent } from "./event.ts";
import { repeat } from "./repeat.ts";

type OutboxDocument = {
  _id: string;
  event: CloudEvent;
  writtenAt: Date;
  sent: boolean;
  sentAt?: Date;
};

/** How long a sent event is kept, to be sent again after Redis lost its stream. */
const keptDays = 7;
const batchSize = 100;
/** Streams are cut at about this many entries: a consumer that falls further behind misses some. */
const streamLength = 100_000;

export const outboxMigration: Migration = {
  id: "0000-outbox",
  async up(db) {
    await db
      .collection("outbox")
      .createIndex({ writtenAt: 1 }, { name: "unsent", partialFilterExpression: { sent: false } });
    await db
      .collection("outbox")
      .createIndex({ sentAt: 1 }, { name: "kept", expireAfterSeconds: keptDays * 86_400 });
  },
};

export type Outbox = {
  /**
   * One MongoDB transaction: `work` changes what it changes with `session`, and what it emits is
   * committed with it or not at all. `work` may run more than once.
   */
  transaction<T>(
    work: (session: ClientSession, emit: (event: EventToSend) => Promise<void>) => Promise<T>,
  ): Promise<T>;
  stop(): Promise<void>;
};

/** @param redis without key prefix: the stream is shared */
export function startOutbox(
  source: string,
  connection: Connection,
  redis: Redis,
  logger: Logger,
): Outbox {
  const outbox = connection.getClient().db(connection.name).collection<OutboxDocument>("outbox");
  const stream = streamOf(source);
  const marker = `${stream}:sent`;

  /** Which Redis this is: another after a restart or a failover, which may have cost the last writes. */
  const redisRun = async () =>
    /master_replid:(\w+)/.exec(await redis.info("replication"))?.[1] ?? "";

  const resendWhatRedisForgot = async () => {
    const run = await redisRun();
    if ((await redis.get(marker)) === run) return;
    const { modifiedCount } = await outbox.updateMany(
      { sent: true },
      { $set: { sent: false }, $unset: { sentAt: 1 } },
    );
    await redis.set(marker, run);
    if (modifiedCount > 0) logger.warn("events.resent", { stream, count: modifiedCount });
  };

  const send = (event: CloudEvent) =>
    redis.xadd(stream, "MAXLEN", "~", streamLength, "*", "event", JSON.stringify(event));

  const relay = async (): Promise<boolean> => {
    await resendWhatRedisForgot();
    const unsent = await outbox
      .find({ sent: false })
      .sort({ writtenAt: 1 })
      .limit(batchSize)
      .toArray();
    if (unsent.length === 0) return false;
    for (const { event } of unsent) await send(event);
    await outbox.updateMany(
      { _id: { $in: unsent.map(({ _id }) => _id) } },
      { $set: { sent: true, sentAt: new Date() } },
    );
    return unsent.length === batchSize;
  };

  const loop = repeat(relay, { everyMs: 1_000, name: "events.relay", logger });

  return {
    async transaction(work) {
      const result = await connection.transaction((session) =>
        work(session, async (event) => {
          const envelope = toCloudEvent(source, event);
          await outbox.insertOne(
            { _id: envelope.id, event: envelope, writtenAt: new Date(), sent: false },
            // Left out, as JSON does: a null is no CloudEvents attribute.
            { session, ignoreUndefined: true },
          );
        }),
      );
      loop.wake();
      return result as Awaited<ReturnType<typeof work>>;
    },
    stop: loop.stop,
  };
}

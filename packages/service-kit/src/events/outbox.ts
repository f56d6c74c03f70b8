/**
 * The sending half. An event is committed together with the change that it tells; a relay then moves
 * it to the Redis stream and marks it. Killed between the two, it is sent again: at least once.
 * Redis may be flushed at any moment, or be replaced by one that lacks the last seconds. So a stream
 * has a generation, which such a Redis has lost or which names another Redis: what the outbox holds
 * of an older generation counts as not sent.
 */
import { randomUUID } from "node:crypto";
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
  /** The generation of the stream that has it; null before it was ever sent. */
  sentIn: string | null;
  /** When it was first sent. */
  sentAt?: Date;
};

/** How long after it was first sent an event is kept, to be sent again after Redis lost its stream. */
const keptDays = 7;
const batchSize = 100;
/** Streams are cut at about this many entries: a consumer that falls further behind misses some. */
const streamLength = 100_000;

export const outboxMigration: Migration = {
  id: "0000-outbox-by-generation",
  async up(db) {
    await db
      .collection("outbox")
      .createIndexes([
        { key: { sentIn: 1, writtenAt: 1 } },
        { key: { sentAt: 1 }, name: "kept", expireAfterSeconds: keptDays * 86_400 },
      ]);
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
  /** In a transaction that somebody else began, as an event's handler is given one. */
  emit(event: EventToSend, session: ClientSession): Promise<void>;
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
  const marker = `${stream}:generation`;

  /** Which Redis this is: another after a restart or a failover, which may have cost the last writes. */
  const redisRun = async () =>
    /master_replid:(\w+)/.exec(await redis.info("replication"))?.[1] ?? "";

  /** Of several relays that find none at once, the first one names it. */
  const generation = async (): Promise<string> => {
    const run = await redisRun();
    const known = await redis.get(marker);
    if (known?.startsWith(run)) return known;
    if (known) await redis.set(marker, `${run}:${randomUUID()}`);
    else await redis.set(marker, `${run}:${randomUUID()}`, "NX");
    return (await redis.get(marker)) ?? "";
  };

  const resendWhatRedisForgot = async (current: string) => {
    const { modifiedCount } = await outbox.updateMany(
      { sentIn: { $nin: [null, current] } },
      { $set: { sentIn: null } },
    );
    if (modifiedCount > 0) logger.warn("events.resent", { stream, count: modifiedCount });
  };

  const send = (event: CloudEvent) =>
    redis.xadd(stream, "MAXLEN", "~", streamLength, "*", "event", JSON.stringify(event));

  const relay = async (): Promise<boolean> => {
    const current = await generation();
    await resendWhatRedisForgot(current);
    const unsent = await outbox
      .find({ sentIn: null })
      .sort({ writtenAt: 1 })
      .limit(batchSize)
      .toArray();
    if (unsent.length === 0) return false;
    for (const { event } of unsent) await send(event);
    await outbox.updateMany(
      { _id: { $in: unsent.map(({ _id }) => _id) } },
      { $set: { sentIn: current }, $min: { sentAt: new Date() } },
    );
    return unsent.length === batchSize;
  };

  const loop = repeat(relay, { everyMs: 1_000, name: "events.relay", logger });

  const emit = async (event: EventToSend, session: ClientSession) => {
    const envelope = toCloudEvent(source, event);
    await outbox.insertOne(
      { _id: envelope.id, event: envelope, writtenAt: new Date(), sentIn: null },
      // Left out, as JSON does: a null is no CloudEvents attribute.
      { session, ignoreUndefined: true },
    );
  };

  return {
    emit,
    async transaction(work) {
      const result = await connection.transaction((session) =>
        work(session, (event) => emit(event, session)),
      );
      loop.wake();
      return result as Awaited<ReturnType<typeof work>>;
    },
    stop: loop.stop,
  };
}

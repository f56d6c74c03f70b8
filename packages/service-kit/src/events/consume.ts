/**
 * The receiving half: a consumer group on the streams of other services (or one's own). An event is
 * handled in a MongoDB transaction together with its entry in the inbox, so that a second delivery
 * changes nothing. What a handler does outside that transaction (an e-mail) may happen again after a
 * crash, never not at all. A failed event is tried again with growing pauses, for ever, beside the others.
 */
import type { Redis } from "ioredis";
import type { Connection } from "mongoose";
import type { Logger } from "../logger.ts";
import { isStoreAway } from "../store-away.ts";
import { continueTrace, inTrace } from "../trace.ts";
import { CloudEvent, streamOf } from "./event.ts";
import { createInbox, type EventHandler } from "./inbox.ts";
import { repeat } from "./repeat.ts";
import { createStreamGroup, type PendingEntry, type StreamEntry } from "./stream-group.ts";

export type Consumer = {
  /** Resolves when what is being handled is done. */
  stop(): Promise<void>;
};

export type ConsumerOptions = {
  /** The consuming service: one delivery for each group. */
  group: string;
  /** Unique for each instance, and better the same after a restart: it finds what it left. */
  instance: string;
  /** Services whose events are read. */
  sources: readonly string[];
  /** Full event type -> handler; other types are passed over. */
  handlers: Record<string, EventHandler>;
  connection: Connection;
  /** A connection of its own (`blocking`), without key prefix; closed by `stop`. */
  redis: Redis;
  logger: Logger;
  /** How long another instance is taken to be at work on an event, before this one takes it over. */
  takeOverMs?: number;
};

const batchSize = 16;

export function startConsumer(options: ConsumerOptions): Consumer {
  const { instance, logger, handlers, takeOverMs = 30_000 } = options;
  const streams = options.sources.map(streamOf);
  const group = createStreamGroup(options.redis, options.group, instance);
  const inbox = createInbox(options.connection, options.group);
  /** What this instance is handling, so that it does not take a slow event for a failed one. */
  const underWay = new Set<string>();
  let stopping = false;

  const handle = async (entry: StreamEntry) => {
    const event = CloudEvent.parse(JSON.parse(entry.fields[1] ?? "null"));
    const handler = handlers[event.type];
    if (handler) {
      await inTrace(continueTrace(event.traceparent), () => inbox.handleOnce(event, handler));
    }
    await group.acknowledge(entry);
  };

  /** A failed event stays pending. A store that is away fails them all: that is the loop's to say. */
  const receive = async (entry: StreamEntry) => {
    underWay.add(keyOf(entry));
    try {
      await handle(entry);
    } catch (error) {
      if (isStoreAway(error)) throw error;
      logger.warn("event.failed", { stream: entry.stream, entry: entry.entryId, error });
    } finally {
      underWay.delete(keyOf(entry));
    }
  };

  const readNew = async (): Promise<void> => {
    const entries = await group.readNew(streams, batchSize);
    await allOf(entries.map(receive));
  };

  const pauseOf = ({ reader, deliveries }: PendingEntry): number =>
    Math.max(pauseMs(deliveries), reader === instance ? 0 : takeOverMs);

  /** Events that failed, or whose reader died: once more, each after a pause that grows. */
  const retry = async (stream: string): Promise<void> => {
    const due: PendingEntry[] = [];
    for await (const pending of group.pending(stream, pauseMs(1))) {
      if (stopping) return;
      if (pending.idleMs < pauseOf(pending) || underWay.has(keyOf(pending))) continue;
      due.push(pending);
      if (due.length === batchSize) await allOf(due.splice(0).map(receiveAgain));
    }
    await allOf(due.map(receiveAgain));
  };

  const receiveAgain = async (pending: PendingEntry): Promise<void> => {
    const entry = await group.claim(pending, pauseOf(pending));
    if (entry) await receive(entry);
  };

  const retryAll = async (): Promise<void> => {
    for (const stream of streams) await retry(stream);
  };

  /** Redis knows no such group (new, flushed, restarted): make it, and read from the start. */
  const withGroup = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!String(error).includes("NOGROUP")) throw error;
      await group.create(streams);
    }
  };

  const loop = (name: string, work: () => Promise<void>, more: boolean) =>
    repeat(() => withGroup(work).then(() => more), { everyMs: 1_000, name, logger });
  const reading = loop("events.read", readNew, true);
  const retrying = loop("events.retry", retryAll, false);

  return {
    async stop() {
      stopping = true;
      group.stopWaiting();
      await Promise.all([reading.stop(), retrying.stop()]);
      group.close();
    },
  };
}

/** Waits for all of them, then fails as the first that failed. */
async function allOf(work: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  const failed = results.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
}

const keyOf = ({ stream, entryId }: { stream: string; entryId: string }) => `${stream} ${entryId}`;

/** 1 s, 2 s, 4 s … at most a minute. */
const pauseMs = (deliveries: number): number => Math.min(1_000 * 2 ** (deliveries - 1), 60_000);

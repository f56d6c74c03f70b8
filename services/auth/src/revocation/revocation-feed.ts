/**
 * What is revoked, in the memory of one instance of auth: read once, then fed by a MongoDB change stream,
 * so that every instance hears of what any of them wrote. It answers two askers: this instance's own
 * verification of tokens, and the other services, who hold a cursor `<epoch>.<sequence>`. Sequences are
 * this instance's own, so a cursor of another epoch is answered with everything.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { createRevocationList, type Logger, type Revocations } from "@portico/service-kit";
import type { Connection } from "mongoose";
import { createRevocationLog, type RevocationsSince } from "./revocation-log.ts";
import { type RevocationDocument, revocationsOf } from "./revocation-store.ts";

export type RevocationFeed = Revocations & {
  /** What was revoked after the cursor: at once if there is anything, else as soon as there is. */
  since(cursor: string, waitMs: number): Promise<RevocationsSince>;
  /** Answers everybody who waits, and lets nobody wait any more. */
  drain(): void;
  stop(): Promise<void>;
};

/** An empty answer comes from MongoDB this often, and shows that it is still there. */
const signOfLifeMs = 1_000;
/** Without one, nobody is told that there is nothing new. */
const longestSilenceMs = 5_000;
const retryMs = 500;

/** Resolves when what is revoked is known. */
export async function startRevocationFeed(
  connection: Connection,
  logger: Logger,
): Promise<RevocationFeed> {
  const kept = revocationsOf(connection);
  const list = createRevocationList();
  const log = createRevocationLog();
  const stopping = new AbortController();
  let closeStream = async () => {};

  const take = (documents: readonly RevocationDocument[]) => {
    const news = log.append(documents);
    list.add(news);
  };

  /** Streams from before it reads, so that nothing falls between; what comes twice counts once. */
  const follow = async (started: () => void) => {
    const { operationTime } = await connection.getClient().db(connection.name).command({ ping: 1 });
    const stream = kept.watch<RevocationDocument>([{ $match: { operationType: "insert" } }], {
      startAtOperationTime: operationTime,
      maxAwaitTimeMS: signOfLifeMs,
    });
    closeStream = () => stream.close();
    try {
      take(await kept.find().sort({ expiresAt: 1 }).toArray());
      list.markComplete();
      started();
      while (!stopping.signal.aborted) {
        const change = await stream.tryNext();
        // It then answers nothing at once, for ever: when its collection was dropped, for one.
        if (!change && stream.closed) throw new Error("The change stream has ended.");
        if (change?.operationType === "insert") take([change.fullDocument]);
        list.markComplete();
      }
    } finally {
      await stream.close();
    }
  };

  const run = async (started: () => void) => {
    while (!stopping.signal.aborted) {
      await follow(started).catch(async (error) => {
        if (stopping.signal.aborted) return;
        logger.warn("revocations.feed-failed", { error });
        await sleep(retryMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      });
    }
  };

  let running: Promise<void> = Promise.resolve();
  await new Promise<void>((started) => {
    running = run(started);
  });

  return Object.assign(list, {
    async since(cursor: string, waitMs: number) {
      await log.waitForMore(cursor, waitMs);
      if (list.ageMs() > longestSilenceMs) throw new Error("MongoDB has been silent for too long.");
      return log.since(cursor);
    },
    drain: log.drain,
    async stop() {
      stopping.abort();
      log.drain();
      await closeStream();
      await running;
    },
  });
}

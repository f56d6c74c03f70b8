/** Redis's words for a consumer group (https://redis.io/docs/latest/develop/data-types/streams/), typed. */
import type { Redis } from "ioredis";

export type StreamEntry = { stream: string; entryId: string; fields: string[] };

/** An entry that was delivered and not yet acknowledged. */
export type PendingEntry = {
  stream: string;
  entryId: string;
  reader: string;
  idleMs: number;
  deliveries: number;
};

export type StreamGroup = ReturnType<typeof createStreamGroup>;

type RawEntry = [entryId: string, fields: string[]];
type RawPending = [entryId: string, reader: string, idleMs: number, deliveries: number];

const pageSize = 100;

/** @param redis waits for new entries; all else goes over a connection beside it, which need not wait. */
export function createStreamGroup(redis: Redis, group: string, reader: string) {
  const commands = redis.duplicate();
  commands.on("error", () => undefined); // The same Redis: `redis` has said it.

  return {
    /** From the start of each stream: what we have handled before, the inbox knows. */
    create: (streams: readonly string[]) =>
      Promise.all(
        streams.map((stream) =>
          commands.xgroup("CREATE", stream, group, "0", "MKSTREAM").catch((error: Error) => {
            if (!error.message.startsWith("BUSYGROUP")) throw error;
          }),
        ),
      ),

    /** Entries that nobody in the group was given before, waiting a second for the first. */
    async readNew(streams: readonly string[], count: number): Promise<StreamEntry[]> {
      const found = (await redis.xreadgroup(
        "GROUP",
        group,
        reader,
        "COUNT",
        count,
        "BLOCK",
        1_000,
        "STREAMS",
        ...streams,
        ...streams.map(() => ">"),
      )) as [stream: string, entries: RawEntry[]][] | null;
      return (found ?? []).flatMap(([stream, entries]) =>
        entries.map(([entryId, fields]) => ({ stream, entryId, fields })),
      );
    },

    /** All that is pending and was left alone for `idleMs`, page by page. */
    async *pending(stream: string, idleMs: number): AsyncGenerator<PendingEntry> {
      for (let from = "-"; ; ) {
        const page = (await commands.xpending(
          stream,
          group,
          "IDLE",
          idleMs,
          from,
          "+",
          pageSize,
        )) as RawPending[];
        for (const [entryId, who, idle, deliveries] of page) {
          yield { stream, entryId, reader: who, idleMs: idle, deliveries };
        }
        const last = page.at(-1);
        if (!last || page.length < pageSize) return;
        from = `(${last[0]}`;
      }
    },

    /** Takes an entry over; undefined when another reader was faster, or the stream has lost it. */
    async claim(
      { stream, entryId }: PendingEntry,
      idleMs: number,
    ): Promise<StreamEntry | undefined> {
      const claimed = await commands.xclaim(stream, group, reader, idleMs, entryId);
      const [entry] = claimed as (RawEntry | null)[];
      // The stream was cut before it was handled: nobody has it any more.
      if (entry === null) await commands.xack(stream, group, entryId);
      return entry ? { stream, entryId, fields: entry[1] } : undefined;
    },

    acknowledge: ({ stream, entryId }: StreamEntry) => commands.xack(stream, group, entryId),

    /**
     * Fails a `readNew` that waits; what it is given in this moment stays pending. While Redis is away it
     * fails by itself, and sooner: a client that is disconnected then leaves it to its timeout.
     */
    stopWaiting() {
      if (redis.status === "ready") redis.disconnect();
    },

    close() {
      redis.disconnect();
      commands.disconnect();
    },
  };
}

/** Keeps the newest messages in memory, bounded by number and by size, and tells who waits for one. */
import type { Message } from "./message.ts";

/** Which messages someone asks for. Addresses compare without regard to case. */
export type MessageFilter = {
  to?: string | undefined;
  /** A part of the subject, or a pattern for it. */
  subject?: string | RegExp | undefined;
};

export type MessagePage = { messages: Message[]; next: string | undefined };

export type MessageStore = {
  add(message: Omit<Message, "id" | "receivedAt">): Message;
  find(id: string): Message | undefined;
  /** Newest first. `cursor` is the `next` of the page before. */
  list(filter: MessageFilter, limit: number, cursor?: string): MessagePage;
  /** Resolves with a message that matches, the newest there is or else the next to come; undefined when the signal aborts first. */
  next(filter: MessageFilter, signal: AbortSignal): Promise<Message | undefined>;
  clear(): void;
};

export type StoreLimits = { maxMessages: number; maxBytes: number; now: () => number };

const matches = (message: Message, { to, subject }: MessageFilter): boolean =>
  (to === undefined || message.to.some((address) => address.toLowerCase() === to.toLowerCase())) &&
  (subject === undefined ||
    (typeof subject === "string"
      ? message.subject.includes(subject)
      : message.subject.search(subject) >= 0));

const weight = (message: Message): number =>
  message.raw.byteLength + message.text.length + message.html.length;

export function createMessageStore({ maxMessages, maxBytes, now }: StoreLimits): MessageStore {
  /** Newest last, so that ids grow along it. */
  let messages: Message[] = [];
  let keptBytes = 0;
  let sequence = 0;
  const watchers = new Set<(message: Message) => void>();

  const evict = (): void => {
    while (messages.length > maxMessages || (keptBytes > maxBytes && messages.length > 1)) {
      const oldest = messages.shift();
      keptBytes -= oldest ? weight(oldest) : 0;
    }
  };

  const list: MessageStore["list"] = (filter, limit, cursor) => {
    const before = cursor === undefined ? Number.POSITIVE_INFINITY : Number(cursor);
    const found = messages
      .filter((message) => Number(message.id) < before && matches(message, filter))
      .reverse();
    const page = found.slice(0, limit);
    return { messages: page, next: found.length > limit ? page.at(-1)?.id : undefined };
  };

  return {
    add(content) {
      sequence += 1;
      const message = {
        id: String(sequence),
        receivedAt: new Date(now()).toISOString(),
        ...content,
      };
      messages.push(message);
      keptBytes += weight(message);
      evict();
      for (const watcher of [...watchers]) watcher(message);
      return message;
    },
    find: (id) => messages.find((message) => message.id === id),
    list,
    next(filter, signal) {
      const [newest] = list(filter, 1).messages;
      if (newest || signal.aborted) return Promise.resolve(newest);

      return new Promise((resolve) => {
        const finish = (message?: Message): void => {
          watchers.delete(watch);
          signal.removeEventListener("abort", onAbort);
          resolve(message);
        };
        const watch = (message: Message): void => {
          if (matches(message, filter)) finish(message);
        };
        const onAbort = (): void => finish();
        watchers.add(watch);
        signal.addEventListener("abort", onAbort);
      });
    },
    clear() {
      messages = [];
      keptBytes = 0;
    },
  };
}

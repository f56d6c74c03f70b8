/** Keeps the newest messages in memory, bounded by number and by size, and tells who waits for one. */
import { randomUUID } from "node:crypto";
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
  /** What came for a domain since an earlier look, or since ever; waits for the first until `signal` aborts. */
  arrivals(domain: string, after: string | undefined, signal: AbortSignal): Promise<Arrivals>;
  clear(): void;
};

/** Oldest first. `after` is where the next look begins. */
export type Arrivals = { messages: Message[]; after: string };

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
  /** Ids begin anew with each store. */
  const store = randomUUID();
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

  const next: MessageStore["next"] = (filter, signal) => {
    const [newest] = list(filter, 1).messages;
    return newest ? Promise.resolve(newest) : nextOf((message) => matches(message, filter), signal);
  };

  const nextOf = (isMeant: (message: Message) => boolean, signal: AbortSignal) =>
    new Promise<Message | undefined>((resolve) => {
      const finish = (message?: Message): void => {
        watchers.delete(watch);
        signal.removeEventListener("abort", onAbort);
        resolve(message);
      };
      const watch = (message: Message): void => {
        if (isMeant(message)) finish(message);
      };
      const onAbort = (): void => finish();
      if (signal.aborted) return finish();
      watchers.add(watch);
      signal.addEventListener("abort", onAbort);
    });

  const arrivals: MessageStore["arrivals"] = async (domain, after, signal) => {
    const [seenIn, seen] = after?.split(":") ?? [];
    const isMeant = ({ to }: Message) =>
      to.some((address) => address.toLowerCase().endsWith(`@${domain.toLowerCase()}`));
    const isNew = ({ id }: Message) => seenIn !== store || Number(id) > Number(seen);
    const find = () => messages.filter((message) => isNew(message) && isMeant(message));
    if (find().length === 0) await nextOf(isMeant, signal);
    return { messages: find(), after: `${store}:${sequence}` };
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
    next,
    arrivals,
    clear() {
      messages = [];
      keptBytes = 0;
    },
  };
}

/**
 * Every live revocation in the order in which this instance heard of it, for those who hold a cursor
 * `<epoch>.<sequence>`: how many of this epoch they have seen.
 */
import { randomBytes } from "node:crypto";
import type { Revocation } from "@portico/service-kit";
import type { RevocationDocument } from "./revocation-store.ts";

export type RevocationsSince = { cursor: string; revocations: Revocation[] };

export type RevocationLog = {
  /** Answers those that were not in it yet. */
  append(documents: readonly RevocationDocument[]): Revocation[];
  /** What the holder of the cursor has not seen; everything for a cursor of another epoch. */
  since(cursor: string): RevocationsSince;
  /** Resolves when there is something that the holder of the cursor has not seen, or after `waitMs`. */
  waitForMore(cursor: string, waitMs: number): Promise<void>;
  /** Nobody waits any more. */
  drain(): void;
};

export function createRevocationLog(now: () => number = Date.now): RevocationLog {
  const epoch = randomBytes(6).toString("base64url");
  const known = new Set<string>();
  const waiting = new Set<() => void>();
  const entries: RevocationDocument[] = [];
  /** Sequence of the first entry; those before it are over. */
  let first = 0;
  let isDraining = false;

  const forgetWhatIsOver = () => {
    const live = entries.findIndex(({ expiresAt }) => expiresAt.getTime() > now());
    const over = entries.splice(0, live === -1 ? entries.length : live);
    for (const { _id } of over) known.delete(_id.toHexString());
    first += over.length;
  };

  const add = (document: RevocationDocument): Revocation[] => {
    const id = document._id.toHexString();
    if (known.has(id)) return [];
    known.add(id);
    entries.push(document);
    return [document.revocation];
  };

  /** Index of the first entry that the holder of the cursor has not seen. */
  const unseenBy = (cursor: string): number => {
    const [ofEpoch, sequence] = cursor.split(".");
    return ofEpoch === epoch ? Math.max(Number(sequence) - first, 0) || 0 : 0;
  };

  const wakeAll = () => {
    for (const wake of waiting) wake();
  };

  return {
    append(documents) {
      forgetWhatIsOver();
      const news = documents.flatMap(add);
      if (news.length > 0) wakeAll();
      return news;
    },

    since: (cursor) => ({
      cursor: `${epoch}.${first + entries.length}`,
      revocations: entries.slice(unseenBy(cursor)).map(({ revocation }) => revocation),
    }),

    async waitForMore(cursor, waitMs) {
      const hasSeenAll = cursor === `${epoch}.${first + entries.length}`;
      if (isDraining || !hasSeenAll) return;
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, waitMs);
        waiting.add(wake);
      });
    },

    drain() {
      isDraining = true;
      wakeAll();
    },
  };
}

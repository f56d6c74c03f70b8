/** The only file that knows how exports are kept: sealed, until their owner has had the time to fetch them. */
import { randomUUID } from "node:crypto";
import { isDuplicateKey } from "@portico/service-kit";
import type { ClientSession, Connection } from "mongoose";
import type { KeyRing } from "../key-ring/key-ring.ts";
import { forEachHolder, type Holder } from "./erasure.ts";
import { type Export, type Part, readyForMs, waitsForMs } from "./export.ts";

type ExportDocument = Omit<Export, "id"> & {
  _id: string;
  /** When the next attempt is due; an instance that makes one puts it off until it must have died. */
  tryAt?: Date;
  tries: number;
};

type PageDocument = {
  _id: string;
  exportId: string;
  accountId: string;
  sealed: string;
  expiresAt: Date;
};

/** An export that an instance is collecting, and how often that was tried. */
export type Due = { due: Export; tries: number };

export type ExportStore = {
  /** The one that is being collected, or a new one in the place of an older. */
  begin(accountId: string, now: Date): Promise<Export>;
  find(id: string, now: Date): Promise<Export | undefined>;
  findOf(accountId: string, now: Date): Promise<Export | undefined>;
  /** For the instance that asks, and no other one for a while. */
  takeDue(now: Date): Promise<Due | undefined>;
  /** Keeps the next page of a part. False when the export is gone, or another instance was faster. */
  addPage(one: Export, holder: Holder, page: NewPage, now: Date): Promise<boolean>;
  putOff(id: string, tryAt: Date): Promise<void>;
  complete(id: string, now: Date): Promise<void>;
  /** Of one part, in order. */
  pages(one: Export, holder: Holder): AsyncGenerator<string>;
  removeAllOf(accountId: string, session: ClientSession): Promise<void>;
};

export type NewPage = { number: number; content: string; cursor: string | null };

/** Longer than a page takes, deadline and all. */
const attemptMs = 60_000;

const nothingYet: Part = { pages: 0, cursor: null, collected: false };

const toExport = ({ _id, tryAt: _, tries: __, ...rest }: ExportDocument): Export => ({
  id: _id,
  ...rest,
});

const later = (now: Date, ms: number): Date => new Date(now.getTime() + ms);

export function createExportStore(
  connection: Connection,
  keyRing: Pick<KeyRing, "seal" | "open">,
): ExportStore {
  const db = connection.getClient().db(connection.name);
  const exports = db.collection<ExportDocument>("exports");
  const pages = db.collection<PageDocument>("exportPages");

  /** Also what it is sealed for: a page opens in its own place only. */
  const pageId = (exportId: string, holder: Holder, number: number): string =>
    `${exportId} ${holder} ${number}`;

  const removeAllOf = async (accountId: string, session: ClientSession) => {
    await exports.deleteMany({ accountId }, { session });
    await pages.deleteMany({ accountId }, { session });
  };

  const replace = (accountId: string, now: Date): Promise<ExportDocument> =>
    connection.transaction(async (session) => {
      const known = await exports.findOne({ accountId, expiresAt: { $gt: now } }, { session });
      if (known && !known.readyAt) return known;
      await removeAllOf(accountId, session);
      const fresh: ExportDocument = {
        _id: randomUUID(),
        accountId,
        requestedAt: now,
        parts: forEachHolder(() => nothingYet),
        readyAt: null,
        expiresAt: later(now, waitsForMs),
        tryAt: now,
        tries: 0,
      };
      await exports.insertOne(fresh, { session });
      return fresh;
    }) as Promise<ExportDocument>;

  return {
    removeAllOf,

    async begin(accountId, now) {
      try {
        return toExport(await replace(accountId, now));
      } catch (error) {
        // Of two at once, the unique index lets one make it; the other finds it.
        if (!isDuplicateKey(error)) throw error;
        return toExport(await replace(accountId, now));
      }
    },

    async find(id, now) {
      const found = await exports.findOne({ _id: id, expiresAt: { $gt: now } });
      return found ? toExport(found) : undefined;
    },

    async findOf(accountId, now) {
      const found = await exports.findOne({ accountId, expiresAt: { $gt: now } });
      return found ? toExport(found) : undefined;
    },

    async takeDue(now) {
      const taken = await exports.findOneAndUpdate(
        { tryAt: { $lte: now }, expiresAt: { $gt: now } },
        { $set: { tryAt: later(now, attemptMs) }, $inc: { tries: 1 } },
        { sort: { tryAt: 1 }, returnDocument: "after" },
      );
      return taken ? { due: toExport(taken), tries: taken.tries } : undefined;
    },

    async addPage({ id, accountId, expiresAt }, holder, { number, content, cursor }, now) {
      const _id = pageId(id, holder, number);
      const part: Part = { pages: number + 1, cursor, collected: cursor === null };
      return (await connection.transaction(async (session) => {
        const { matchedCount } = await exports.updateOne(
          // With the page, or not at all: when the account is erased meanwhile, nothing of it comes back.
          { _id: id, [`parts.${holder}.pages`]: number, [`parts.${holder}.collected`]: false },
          { $set: { [`parts.${holder}`]: part, tryAt: later(now, attemptMs) } },
          { session },
        );
        if (matchedCount === 0) return false;
        const sealed = keyRing.seal(content, _id);
        await pages.insertOne({ _id, exportId: id, accountId, sealed, expiresAt }, { session });
        return true;
      })) as boolean;
    },

    async putOff(id, tryAt) {
      await exports.updateOne({ _id: id, readyAt: null }, { $set: { tryAt } });
    },

    async complete(id, now) {
      const expiresAt = later(now, readyForMs);
      await connection.transaction(async (session) => {
        await exports.updateOne(
          { _id: id, readyAt: null },
          { $set: { readyAt: now, expiresAt }, $unset: { tryAt: "" } },
          { session },
        );
        await pages.updateMany({ exportId: id }, { $set: { expiresAt } }, { session });
      });
    },

    async *pages({ id, parts }, holder) {
      for (let number = 0; number < parts[holder].pages; number += 1) {
        const _id = pageId(id, holder, number);
        const page = await pages.findOne({ _id });
        // It expired while it was being sent: half an export must not look like a whole one.
        if (!page) throw new Error(`A page of an export is gone: ${holder} ${number}.`);
        yield keyRing.open(page.sealed, _id).plaintext;
      }
    },
  };
}

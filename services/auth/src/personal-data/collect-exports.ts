/** What goes on until an export is whole. */
import type { Logger } from "@portico/service-kit";
import { type Loop, repeat } from "@portico/service-kit/events";
import { type Holder, holders } from "./erasure.ts";
import { type Export, type Part, pauseMs } from "./export.ts";
import type { Due, ExportStore } from "./export-store.ts";
import type { Holdings } from "./holding.ts";
import type { IssueExportToken } from "./issue-export-token.ts";
import type { PageOfRecords, ReadRecords } from "./service-reader.ts";

type Dependencies = {
  exports: ExportStore;
  holdings: Holdings;
  issueExportToken: IssueExportToken;
  readRecords: ReadRecords;
  logger: Logger;
  now?: () => Date;
};

const everyMs = 1_000;

export function startCollecting(dependencies: Dependencies): Loop {
  const { exports, holdings, issueExportToken, readRecords, logger } = dependencies;
  const { now = () => new Date() } = dependencies;

  const readOwn = async (accountId: string): Promise<PageOfRecords> => {
    const records: Record<string, readonly object[]> = {};
    for (const [name, holding] of Object.entries(holdings)) {
      records[name] = await holding.read(accountId);
    }
    return { items: [records], cursor: null };
  };

  const readPage = async (accountId: string, holder: Holder, cursor: string | null) => {
    if (holder === "auth") return readOwn(accountId);
    const token = await issueExportToken(accountId);
    if (token === undefined) throw new Error("The account is gone.");
    return readRecords(holder, token, cursor);
  };

  /** From where it stopped, page by page, so that memory holds one. */
  const collectPart = async (one: Export, holder: Holder): Promise<boolean> => {
    let part: Part = one.parts[holder];
    while (!part.collected) {
      const { items, cursor } = await readPage(one.accountId, holder, part.cursor);
      const page = { number: part.pages, content: JSON.stringify(items), cursor };
      if (!(await exports.addPage(one, holder, page, now()))) return false;
      part = { pages: part.pages + 1, cursor, collected: cursor === null };
    }
    return true;
  };

  /** A service that is away keeps no other waiting. */
  const tryPart = async (one: Export, holder: Holder): Promise<boolean> => {
    try {
      return await collectPart(one, holder);
    } catch (error) {
      logger.warn("export.waiting", { service: holder, error });
      return false;
    }
  };

  const collect = async ({ due, tries }: Due): Promise<void> => {
    const results: boolean[] = [];
    for (const holder of holders) results.push(await tryPart(due, holder));
    if (results.every(Boolean)) await exports.complete(due.id, now());
    else await exports.putOff(due.id, new Date(now().getTime() + pauseMs(tries)));
  };

  const collectNext = async (): Promise<boolean> => {
    const due = await exports.takeDue(now());
    if (due) await collect(due);
    return due !== undefined;
  };
  return repeat(collectNext, { everyMs, name: "exports.collect", logger });
}

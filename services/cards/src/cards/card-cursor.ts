/** Where a list of cards goes on: the card network knows pages by number, and only of one size. */
import { decodeCursor, encodeCursor, invalidRequest } from "@portico/service-kit";
import { z } from "zod";

const Cursor = z.tuple([z.int().min(2).max(1_000_000), z.int().min(1)]);

export const cursorOf = (page: number, limit: number): string => encodeCursor([page, limit]);

/** The page that is asked for; 400 when it would not start where the one before ended. */
export function pageAt(cursor: string | undefined, limit: number): number {
  if (!cursor) return 1;
  const [page, sizeBefore] = decodeCursor(cursor, Cursor);
  if (sizeBefore === limit) return page;
  const detail = `Must stay ${sizeBefore}, as on the page before.`;
  throw invalidRequest(undefined, { errors: [{ in: "query", field: "limit", detail }] });
}

import { z } from "zod";

/** A calendar month in UTC: from `start` up to, and without, `end`. */
export type Month = { start: Date; end: Date };

/** `2026-03`. */
export const Month = z
  .string()
  .regex(/^[12]\d{3}-(0[1-9]|1[0-2])$/, { error: "Not a month of the form YYYY-MM." })
  .meta({ description: "Calendar month in UTC, `YYYY-MM`" });

export function toMonth(month: string): Month {
  const start = new Date(`${month}-01T00:00:00Z`);
  return { start, end: new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1)) };
}

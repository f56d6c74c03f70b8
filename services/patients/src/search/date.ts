/**
 * Search by date: `2024-05`, `ge2024-05-01T12:00Z`. Both what is asked and what is kept are spans of
 * time, compared as https://hl7.org/fhir/R4/search.html#prefix says.
 */
import { convertToSearchableDates, type TypedValue, toPeriod } from "@medplum/core";
import type { SearchFilter } from "./search-filter.ts";
import type { DateKey } from "./search-keys.ts";

/** Ends of a span that says only when it began, or only when it ended. */
const everBefore = new Date("0000-01-01T00:00:00Z");
const everAfter = new Date("9999-12-31T23:59:59.999Z");

type Span = { start: Date; end: Date };

const toSpan = (period: { start?: string; end?: string }): Span => ({
  start: period.start ? new Date(period.start) : everBefore,
  end: period.end ? new Date(period.end) : everAfter,
});

export const dateKeys = (code: string, values: TypedValue[]): DateKey[] =>
  convertToSearchableDates(values).map((period) => ({ code, ...toSpan(period) }));

const pattern =
  /^(eq|ne|gt|ge|lt|le|sa|eb)?(\d{4}(?:-\d\d(?:-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?)?)?)?)$/;

/** The prefix and the span that is asked for; undefined when the text is no date. */
function parse(asked: string): { prefix: string; span: Span } | undefined {
  const [, prefix = "eq", date] = pattern.exec(asked) ?? [];
  try {
    const period = date && toPeriod(date);
    return period ? { prefix, span: toSpan(period) } : undefined;
  } catch (error) {
    // `toPeriod` throws for a day or an hour that no calendar has.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

export const isDate = (asked: string): boolean => parse(asked) !== undefined;

/** What a kept span must be, for each prefix. */
const comparisons: Record<string, (asked: Span) => Record<string, unknown>[]> = {
  eq: ({ start, end }) => [{ start: { $gte: start }, end: { $lte: end } }],
  ne: ({ start, end }) => [{ start: { $lt: start } }, { end: { $gt: end } }],
  gt: ({ end }) => [{ end: { $gt: end } }],
  lt: ({ start }) => [{ start: { $lt: start } }],
  ge: ({ start, end }) => [{ start: { $gte: start } }, { end: { $gt: end } }],
  le: ({ start, end }) => [{ end: { $lte: end } }, { start: { $lt: start } }],
  sa: ({ end }) => [{ start: { $gt: end } }],
  eb: ({ start }) => [{ end: { $lt: start } }],
};

export function dateFilter(code: string, asked: readonly string[]): SearchFilter {
  const spans = asked.flatMap((text) => {
    const { prefix = "", span } = parse(text) ?? {};
    return span ? (comparisons[prefix]?.(span) ?? []) : [];
  });
  return { $or: spans.map((span) => ({ "search.dates": { $elemMatch: { code, ...span } } })) };
}

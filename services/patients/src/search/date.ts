/**
 * Search by date: `2024-05`, `ge2024-05-01T12:00Z`. Both what is asked and what is kept are spans of
 * time, compared as https://hl7.org/fhir/R4/search.html#prefix says.
 */
import type { TypedValue } from "@medplum/core";
import type { Period } from "@medplum/fhirtypes";
import type { DateKey, SearchFilter } from "./key.ts";
import { type TimeSpan, toTimeSpan } from "./time-span.ts";

/** Ends of a span that says only when it began, or only when it ended. */
const everBefore = new Date("0000-01-01T00:00:00Z");
const everAfter = new Date("9999-12-31T23:59:59.999Z");

function spanOf({ type, value }: TypedValue): TimeSpan | undefined {
  // A text with extensions is a String object.
  if (type !== "Period") return toTimeSpan(String(value));
  const { start, end } = value as Period;
  return {
    start: toTimeSpan(start ?? "")?.start ?? everBefore,
    end: toTimeSpan(end ?? "")?.end ?? everAfter,
  };
}

export const dateKeys = (code: string, values: TypedValue[]): DateKey[] =>
  values.flatMap((value) => {
    const span = spanOf(value);
    return span ? [{ code, ...span }] : [];
  });

const prefixed = /^(eq|ne|gt|ge|lt|le|sa|eb)?(\d.*)$/;

/** The prefix and the span that is asked for; undefined when the text is no date. */
function parse(asked: string): { prefix: string; span: TimeSpan } | undefined {
  const [, prefix = "eq", date = ""] = prefixed.exec(asked) ?? [];
  const span = toTimeSpan(date);
  return span && { prefix, span };
}

export const isDate = (asked: string): boolean => parse(asked) !== undefined;

/** What a kept span must be, for each prefix. */
const comparisons: Record<string, (asked: TimeSpan) => Record<string, unknown>[]> = {
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

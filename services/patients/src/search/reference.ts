/** Search by reference: `Patient/123`, or `123` where only one type can be meant. */
import { convertToSearchableReferences, type TypedValue } from "@medplum/core";
import type { SearchFilter } from "./key.ts";

const key = (code: string, reference: string) => `${code}=${reference}`;

/** `Patient/123/_history/2` is a reference to `Patient/123`. */
export const withoutVersion = (reference: string): string =>
  reference.split("/_history/", 1)[0] ?? "";

export const referenceKeys = (code: string, values: TypedValue[]): string[] =>
  convertToSearchableReferences(values).map((reference) => key(code, withoutVersion(reference)));

export function referenceFilter(
  code: string,
  asked: readonly string[],
  targets: readonly string[],
): SearchFilter {
  const references = asked.flatMap((reference) =>
    reference.includes("/") ? [reference] : targets.map((target) => `${target}/${reference}`),
  );
  return { "search.tokens": { $in: references.map((reference) => key(code, reference)) } };
}

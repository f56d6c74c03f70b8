/** Search by token: an exact code, with or without its system (`system|code`, `|code`, `code`). */
import { convertToSearchableTokens, type TypedValue } from "@medplum/core";
import type { SearchFilter } from "./key.ts";

/** Marks texts that stand beside a code: they are not tokens. */
const text = "text";

const key = (code: string, system: string, value: string) => `${code}|${system}|${value}`;
const anySystemKey = (code: string, value: string) => `${code}=${value}`;

export const tokenKeys = (code: string, values: TypedValue[]): string[] =>
  convertToSearchableTokens(values, { textSearchSystem: text }).flatMap(({ system, value }) =>
    system === text || !value ? [] : [key(code, system ?? "", value), anySystemKey(code, value)],
  );

/** Stands for a bar that is part of a value (`\|`) until the bar between system and code was found. */
const literalBar = "\uE000";

/** What is asked, before the backslashes of other characters are taken away. */
export const withoutLiteralBars = (asked: string): string =>
  asked.replaceAll(/\\(.)/gs, (escaped, character) => (character === "|" ? literalBar : escaped));

/** `a|b|c` could be two systems and two codes. */
export const isToken = (token: string): boolean => token.split("|").length <= 2;

export function tokenFilter(code: string, asked: readonly string[]): SearchFilter {
  const keys = asked.map((token) => {
    const [first = "", second] = token.split("|").map((part) => part.replaceAll(literalBar, "|"));
    return second === undefined ? anySystemKey(code, first) : key(code, first, second);
  });
  return { "search.tokens": { $in: keys } };
}

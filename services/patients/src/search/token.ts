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

export function tokenFilter(code: string, asked: readonly string[]): SearchFilter {
  const keys = asked.map((token) => {
    const bar = token.indexOf("|");
    return bar < 0
      ? anySystemKey(code, token)
      : key(code, token.slice(0, bar), token.slice(bar + 1));
  });
  return { "search.tokens": { $in: keys } };
}

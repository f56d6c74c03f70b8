/** Search by string: what starts with the given text, whatever its case and accents. */
import { convertToSearchableStrings, type TypedValue } from "@medplum/core";
import type { HumanName } from "@medplum/fhirtypes";
import type { SearchFilter } from "./key.ts";

const fold = (text: string): string =>
  text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();

const key = (code: string, text: string) => `${code}=${fold(text)}`;

/** Any part of a name can be searched for, not only the one that it starts with. */
const partsOfName = ({ text, family, given, prefix, suffix }: HumanName): string[] =>
  [text, family, ...(given ?? []), ...(prefix ?? []), ...(suffix ?? [])].flatMap(
    (part) => part ?? [],
  );

const textsOf = (value: TypedValue): string[] =>
  value.type === "HumanName"
    ? partsOfName(value.value as HumanName)
    : convertToSearchableStrings([value]);

export const stringKeys = (code: string, values: TypedValue[]): string[] => [
  ...new Set(values.flatMap(textsOf).map((text) => key(code, text))),
];

/** Sorts after everything that starts the same. */
const last = "\u{10FFFF}";

/** A range instead of a pattern: the index finds its ends, and nothing has to be escaped. */
export const stringFilter = (code: string, asked: readonly string[]): SearchFilter => ({
  $or: asked.map((text) => ({
    "search.strings": { $elemMatch: { $gte: key(code, text), $lt: key(code, text) + last } },
  })),
});

/** A search parameter and what is asked of it -> a filter over the keys of search-keys.ts. */
import { splitSearchOnComma } from "@medplum/core";
import type { SearchParameter } from "@medplum/fhirtypes";
import { type FieldError, invalidRequest } from "@portico/service-kit";
import { type QueryFilter, trusted } from "mongoose";
import type { ResourceDocument } from "../resources/resource-store.ts";
import { dateFilter, isDate } from "./date.ts";
import type { SearchFilter } from "./key.ts";
import { referenceFilter } from "./reference.ts";
import { stringFilter } from "./string.ts";
import { isToken, tokenFilter, withoutLiteralBars } from "./token.ts";

/** `asked` are alternatives: `a,b`. */
function buildFilter({ code, type, target }: SearchParameter, asked: string[]): SearchFilter {
  if (type === "token") return tokenFilter(code, asked);
  if (type === "reference") return referenceFilter(code, asked, target ?? []);
  if (type === "string") return stringFilter(code, asked);
  if (type === "date") return dateFilter(code, asked);
  throw new Error(`search parameters of type ${type} are not supported: ${code}`);
}

const mostAlternatives = 20;

function check({ code, type }: SearchParameter, asked: string[]): FieldError[] {
  const refuse = (detail: string): FieldError[] => [{ in: "query", field: code, detail }];
  if (asked.length > mostAlternatives) return refuse(`More than ${mostAlternatives} values.`);
  if (asked.some((value) => value === "")) return refuse("A value is missing.");
  if (type === "date" && !asked.every(isDate)) return refuse("Not a date.");
  if (type === "token" && !asked.every(isToken)) {
    return refuse("More than one |; write \\| for one that belongs to the system or the code.");
  }
  return [];
}

/** `$or`, `$elemMatch` and all: mongoose takes it as it is. */
const trust = (filter: SearchFilter): QueryFilter<ResourceDocument> =>
  "$or" in filter
    ? { $or: (filter.$or as SearchFilter[]).map(trust) }
    : Object.fromEntries(
        Object.entries(filter).map(([path, condition]) => [path, trusted(condition as object)]),
      );

/**
 * @param query parameter code -> what was asked, each of which must hold
 * @throws invalidRequest naming every parameter that is wrong
 */
export function searchFilters(
  parameters: readonly SearchParameter[],
  query: Readonly<Record<string, readonly string[] | undefined>>,
): QueryFilter<ResourceDocument>[] {
  const asked = parameters.flatMap((parameter) =>
    (query[parameter.code] ?? []).map((value) => ({
      parameter,
      alternatives: splitSearchOnComma(
        parameter.type === "token" ? withoutLiteralBars(value) : value,
      ),
    })),
  );
  const errors = asked.flatMap(({ parameter, alternatives }) => check(parameter, alternatives));
  if (errors.length > 0) throw invalidRequest(undefined, { errors });
  return asked.map(({ parameter, alternatives }) => trust(buildFilter(parameter, alternatives)));
}

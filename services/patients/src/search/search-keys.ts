/**
 * What can be searched for in a resource: keys, derived when it is written by the FHIRPath of each
 * SearchParameter (https://hl7.org/fhir/R4/search.html). One set of indexes over these keys serves
 * every parameter of every type, so a new parameter is a definition and not a migration.
 */
import { evalFhirPathTyped, getSearchParameterDetails, toTypedValue } from "@medplum/core";
import type { SearchParameter } from "@medplum/fhirtypes";
import type { Resource } from "../resources/resource.ts";
import { dateKeys } from "./date.ts";
import type { SearchKeys } from "./key.ts";
import { referenceKeys } from "./reference.ts";
import { stringKeys } from "./string.ts";
import { tokenKeys } from "./token.ts";

export function searchKeysOf(
  resource: Resource,
  parameters: readonly SearchParameter[],
): SearchKeys {
  const keys: SearchKeys = { tokens: [], strings: [], dates: [] };
  for (const parameter of parameters) {
    const { code, type } = parameter;
    const { parsedExpression } = getSearchParameterDetails(resource.resourceType, parameter);
    const values = evalFhirPathTyped(parsedExpression, [toTypedValue(resource)]);
    if (type === "token") keys.tokens.push(...tokenKeys(code, values));
    if (type === "reference") keys.tokens.push(...referenceKeys(code, values));
    if (type === "string") keys.strings.push(...stringKeys(code, values));
    if (type === "date") keys.dates.push(...dateKeys(code, values));
  }
  return keys;
}

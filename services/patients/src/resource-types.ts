/**
 * The FHIR resource types that this service keeps. All of them share one store and one set of
 * endpoints; what a type is, the standard's own definitions say (definitions/). Enabling another
 * one is a line here and `node services/patients/src/definitions/extract-definitions.ts`.
 */
export const resourceTypeNames = ["Patient", "Observation"] as const;
export type ResourceTypeName = (typeof resourceTypeNames)[number];

export type EnabledType = {
  name: ResourceTypeName;
  /** Codes of the standard's SearchParameters that can be asked for. */
  searchParameters: readonly string[];
};

export const enabledTypes: readonly EnabledType[] = [
  { name: "Patient", searchParameters: ["birthdate", "family", "identifier", "name"] },
  { name: "Observation", searchParameters: ["code", "date", "patient"] },
];

/** patients: patients and what is observed about them, as FHIR R4. The list of endpoints is the table of contents. */
import { type AppOptions, createApp } from "@portico/service-kit";
import { answerErasure, type Outbox, onAccountErased } from "@portico/service-kit/events";
import { getCapabilityStatement } from "./capability/get-capability-statement.ts";
import type { Definitions } from "./definitions/definitions.ts";
import { operationOutcome } from "./outcomes/operation-outcome.ts";
import { readPersonalData } from "./personal-data/read-personal-data.ts";
import { enabledTypes } from "./resource-types.ts";
import { createResource } from "./resources/create-resource.ts";
import { readResource } from "./resources/read-resource.ts";
import type { ResourceStore } from "./resources/resource-store.ts";
import { searchResources } from "./resources/search-resources.ts";

type Fhir = {
  resources: ResourceStore;
  definitions: Definitions;
  /** Where clients reach `/fhir`. */
  baseUrl: string;
};

export type PatientsDependencies = Pick<AppOptions, "verifyAccessToken" | "logger" | "metrics"> &
  Fhir;

export const endpoints = (fhir: Fhir) => [
  getCapabilityStatement(fhir),
  ...enabledTypes.flatMap((type) => [
    createResource(type.name, fhir),
    searchResources(type, fhir),
    readResource(type.name, fhir),
  ]),
  readPersonalData(fhir.resources),
];

/** Of auth's events. A medical record stays: it is about the patient. Who wrote it down is forgotten. */
export const eventHandlers = (resources: ResourceStore, outbox: Outbox) => ({
  [onAccountErased]: answerErasure(resources.forgetRecorder, outbox),
});

export const about = {
  name: "patients",
  title: "Portico patients",
  description: "Patients and observations about them, over FHIR R4.",
  problemFormat: operationOutcome,
};

export const createPatients = (dependencies: PatientsDependencies) =>
  createApp({
    ...about,
    ...dependencies,
    endpoints: endpoints(dependencies),
    bodyLimitBytes: 262_144,
  });

import { startTestService, type TestService } from "@portico/dev-env";
import type { Express } from "express";
import request from "supertest";
import { inject } from "vitest";
import { createPatients } from "../app.ts";
import { readDefinitions } from "../definitions/definitions.ts";
import { migrations } from "../migrations.ts";
import { createResourceStore } from "../resources/resource-store.ts";

export const baseUrl = "http://localhost:8080/fhir";

/** patients with stores of its own, and a clinician who asks it. */
export async function startFhir() {
  const service: TestService<Express> = await startTestService(
    inject("stores"),
    migrations,
    ({ mongo, ...parts }) =>
      createPatients({
        resources: createResourceStore(mongo),
        definitions: readDefinitions(),
        baseUrl,
        ...parts,
      }),
  );
  const authorization = await service.bearer({ roles: ["member", "clinician"] });
  const send = (type: string, body: string, headers: Record<string, string> = {}) =>
    request(service.app)
      .post(`/fhir/${type}`)
      .set({ Authorization: authorization, "Content-Type": "application/fhir+json", ...headers })
      .send(body);
  return {
    ...service,
    send,
    create: (resource: Record<string, unknown>, headers?: Record<string, string>) =>
      send(String(resource.resourceType), JSON.stringify(resource), headers),
    /** `Patient?name=ada`; a full URL is read for its path. */
    read: (path: string, headers: Record<string, string> = {}) =>
      request(service.app)
        .get(path.startsWith(baseUrl) ? new URL(path).href.slice(21) : `/fhir/${path}`)
        .set({ Authorization: authorization, ...headers }),
  };
}

export type Fhir = Awaited<ReturnType<typeof startFhir>>;

export const patient = (fields: Record<string, unknown> = {}) => ({
  resourceType: "Patient",
  name: [{ family: "Lovelace", given: ["Ada"] }],
  gender: "female",
  birthDate: "1815-12-10",
  ...fields,
});

/** A heart rate. */
export const observation = (patientId: string, fields: Record<string, unknown> = {}) => ({
  resourceType: "Observation",
  status: "final",
  code: { coding: [{ system: "http://loinc.org", code: "8867-4", display: "Heart rate" }] },
  subject: { reference: `Patient/${patientId}` },
  effectiveDateTime: "2026-03-01T10:00:00Z",
  valueQuantity: { value: 72, unit: "/min", system: "http://unitsofmeasure.org", code: "/min" },
  ...fields,
});

export const expressionsOf = (response: request.Response): (string | undefined)[] =>
  response.body.issue.map(({ expression }: { expression?: string[] }) => expression?.[0]);

export const codesOf = (response: request.Response): string[] =>
  response.body.issue.map(({ code }: { code: string }) => code);

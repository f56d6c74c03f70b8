/**
 * Observations are about a patient who is here. FHIR allows others (a group, a device, somebody
 * elsewhere); monitoring could do nothing with those.
 */
import type { Observation } from "@medplum/fhirtypes";
import { unprocessableWith } from "../outcomes/issue.ts";
import type { Content } from "../resources/resource.ts";
import type { ResourceStore } from "../resources/resource-store.ts";
import { withoutVersion } from "../search/reference.ts";

const expression = "Observation.subject";

const toPatient = /^Patient\/([A-Za-z0-9\-.]{1,64})$/;

/** Refuses a valid observation whose subject is not one of our patients. */
export async function requirePatient(content: Content, resources: ResourceStore): Promise<void> {
  if (content.resourceType !== "Observation") return;
  const { subject } = content as unknown as Observation;
  const reference = subject?.reference;
  if (!reference) {
    const text = "An observation must refer to its patient: `Patient/{id}`.";
    throw unprocessableWith({ code: "required", text, expression });
  }

  const [, patientId] = toPatient.exec(withoutVersion(reference)) ?? [];
  if (!patientId || !(await resources.exists("Patient", patientId))) {
    const text = "There is no such patient here.";
    throw unprocessableWith({ code: "not-found", text, expression });
  }
}

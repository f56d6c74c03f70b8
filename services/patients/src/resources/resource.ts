/**
 * A FHIR resource as this service keeps it: what the client sent, under an id and a version that
 * the server gave it. This folder stores, reads and finds resources of any enabled type; what is
 * valid, validation/ says, and how they are searched, search/.
 */
import { z } from "zod";
import type { ResourceTypeName } from "../resource-types.ts";

export const fhirJson = "application/fhir+json";

/** What a body may be sent as: FHIR's own media type, or plain JSON. */
export const fhirMediaTypes = [fhirJson, "application/json"];

/** https://hl7.org/fhir/R4/datatypes.html#id */
export const ResourceId = z
  .string()
  .regex(/^[A-Za-z0-9\-.]{1,64}$/, { error: "Not a FHIR id." })
  .meta({ description: "Logical id of the resource" });

/** The contract's view of a resource: FHIR's definitions check the rest. */
export const resourceSchema = (type: ResourceTypeName) =>
  z
    .looseObject({ resourceType: z.literal(type) })
    .meta({ id: type, description: `FHIR R4 ${type}: https://hl7.org/fhir/R4/${type}.html` });

/** A resource as it is sent: of which type it is, and whatever the standard lets stand in that. */
export type Content = { resourceType: ResourceTypeName; [element: string]: unknown };

/** A resource with the id and version that the server gives. */
export type Resource = Content & {
  id: string;
  meta: { versionId: string; lastUpdated: string };
};

/** The first version of a resource. An id or version in the request is not the client's to choose. */
export const firstVersion = (content: Content, id: string, now: Date): Resource => ({
  ...content,
  id,
  meta: { ...(content.meta as object | undefined), versionId: "1", lastUpdated: now.toISOString() },
});

/** https://hl7.org/fhir/R4/http.html#versioning: an ETag is weak and holds the version. */
export const versionHeaders = ({ meta }: Resource): Record<string, string> => ({
  ETag: `W/"${meta.versionId}"`,
  "Last-Modified": new Date(meta.lastUpdated).toUTCString(),
});

/** The names of those headers, for the contract. */
export const versionHeaderNames = {
  ETag: "Version of the resource",
  "Last-Modified": "When that version was written",
};

/** Said by every FHIR client in some spelling; JSON is what there is. */
export const Format = z
  .enum(["json", "application/json", "application/fhir+json", "application/fhir json"], {
    error: "Only JSON can be answered.",
  })
  .optional()
  .meta({ description: "Format of the answer: JSON in any spelling" });

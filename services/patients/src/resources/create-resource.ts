import { randomUUID } from "node:crypto";
import { answer, endpoint, permits } from "@portico/service-kit";
import { z } from "zod";
import type { Definitions } from "../definitions/definitions.ts";
import { requirePatient } from "../observations/require-patient.ts";
import { invalidResource, invalidWith, unprocessable } from "../outcomes/issue.ts";
import type { ResourceTypeName } from "../resource-types.ts";
import { searchKeysOf } from "../search/search-keys.ts";
import { findIssues } from "../validation/validate-resource.ts";
import {
  Format,
  fhirJson,
  fhirMediaTypes,
  firstVersion,
  resourceSchema,
  versionHeaderNames,
  versionHeaders,
} from "./resource.ts";
import type { ResourceStore } from "./resource-store.ts";

/** Creates a resource: https://hl7.org/fhir/R4/http.html#create. The server gives its id. */
export const createResource = (
  type: ResourceTypeName,
  { resources, definitions }: { resources: ResourceStore; definitions: Definitions },
) =>
  endpoint({
    method: "post",
    path: `/fhir/${type}`,
    summary: `Create a ${type}`,
    guard: permits("patients:write", { roles: ["clinician"] }),
    query: z.object({ _format: Format }),
    consumes: fhirMediaTypes,
    body: resourceSchema(type),
    reply: {
      status: 201,
      mediaType: fhirJson,
      body: resourceSchema(type),
      headers: { Location: "Path of the version that was written", ...versionHeaderNames },
    },
    problems: [invalidResource, unprocessable],

    async handle({ caller, body }) {
      const issues = findIssues(body, definitions);
      if (issues.length > 0) throw invalidWith(issues);
      await requirePatient(body, resources);

      const resource = firstVersion(body, randomUUID(), new Date());
      const search = searchKeysOf(resource, definitions.searchParameters(type));
      await resources.create(resource, search, caller.subject);
      return answer(resource, {
        headers: {
          Location: `/fhir/${type}/${resource.id}/_history/${resource.meta.versionId}`,
          ...versionHeaders(resource),
        },
      });
    },
  });

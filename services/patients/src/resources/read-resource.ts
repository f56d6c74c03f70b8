import { answer, endpoint, notFound, permits } from "@portico/service-kit";
import { z } from "zod";
import type { ResourceTypeName } from "../resource-types.ts";
import {
  Format,
  fhirJson,
  ResourceId,
  resourceSchema,
  versionHeaderNames,
  versionHeaders,
} from "./resource.ts";
import type { ResourceStore } from "./resource-store.ts";

/** Reads a resource: https://hl7.org/fhir/R4/http.html#read. */
export const readResource = (type: ResourceTypeName, { resources }: { resources: ResourceStore }) =>
  endpoint({
    method: "get",
    path: `/fhir/${type}/:id`,
    summary: `Read a ${type}`,
    guard: permits("patients:read", { roles: ["clinician"] }),
    params: z.object({ id: ResourceId }),
    query: z.object({ _format: Format }),
    reply: {
      status: 200,
      mediaType: fhirJson,
      body: resourceSchema(type),
      headers: versionHeaderNames,
    },
    problems: [notFound],

    async handle({ params }) {
      const resource = await resources.find(type, params.id);
      if (!resource) throw notFound(`There is no such ${type}.`);
      return answer(resource, { headers: versionHeaders(resource) });
    },
  });

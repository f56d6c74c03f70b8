import type { CapabilityStatement } from "@medplum/fhirtypes";
import { anyone, endpoint } from "@portico/service-kit";
import { z } from "zod";
import type { Definitions } from "../definitions/definitions.ts";
import { type EnabledType, enabledTypes } from "../resource-types.ts";
import { Format, fhirJson } from "../resources/resource.ts";

type RestResource = NonNullable<
  NonNullable<CapabilityStatement["rest"]>[number]["resource"]
>[number];

/** Says what this server can do, truthfully: https://hl7.org/fhir/R4/http.html#capabilities. */
export const getCapabilityStatement = ({
  definitions,
  baseUrl,
  startedAt = new Date(),
}: {
  definitions: Definitions;
  baseUrl: string;
  startedAt?: Date;
}) =>
  endpoint({
    method: "get",
    path: "/fhir/metadata",
    summary: "Read what this FHIR server can do",
    guard: anyone,
    query: z.object({ _format: Format }),
    reply: {
      status: 200,
      mediaType: fhirJson,
      body: z
        .looseObject({ resourceType: z.literal("CapabilityStatement") })
        .meta({ id: "CapabilityStatement" }),
    },

    handle: () => ({ ...describeServer(definitions, baseUrl, startedAt) }),
  });

const describeServer = (
  definitions: Definitions,
  baseUrl: string,
  startedAt: Date,
): CapabilityStatement => ({
  resourceType: "CapabilityStatement",
  status: "active",
  date: startedAt.toISOString(),
  kind: "instance",
  software: { name: "Portico patients" },
  implementation: { description: "Portico patients", url: baseUrl },
  fhirVersion: "4.0.1",
  format: ["json", fhirJson],
  rest: [
    {
      mode: "server",
      security: {
        description:
          "An OAuth 2.0 access token with the scope patients:read or patients:write, of a clinician.",
        service: [
          {
            coding: [
              {
                system: "http://terminology.hl7.org/CodeSystem/restful-security-service",
                code: "OAuth",
              },
            ],
          },
        ],
      },
      resource: enabledTypes.map((type) => describeType(type, definitions)),
    },
  ],
});

const describeType = (type: EnabledType, definitions: Definitions): RestResource => ({
  type: type.name,
  profile: `http://hl7.org/fhir/StructureDefinition/${type.name}`,
  interaction: [{ code: "create" }, { code: "read" }, { code: "search-type" }],
  versioning: "versioned",
  readHistory: false,
  updateCreate: false,
  conditionalCreate: false,
  conditionalUpdate: false,
  searchParam: [
    { name: "_id", type: "token" },
    ...definitions.searchParameters(type.name).map(({ code, url, type: kind }) => ({
      name: code,
      definition: url,
      type: kind,
    })),
  ],
});

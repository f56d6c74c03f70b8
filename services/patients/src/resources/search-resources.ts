import { decodeCursor, endpoint, permits, toPage } from "@portico/service-kit";
import { trusted } from "mongoose";
import { z } from "zod";
import type { Definitions } from "../definitions/definitions.ts";
import type { EnabledType } from "../resource-types.ts";
import { searchFilters } from "../search/search-filter.ts";
import { SearchSet, toSearchSet } from "./bundle.ts";
import { Format, fhirJson, ResourceId } from "./resource.ts";
import type { ResourcePosition, ResourceStore } from "./resource-store.ts";

const Cursor = z.tuple([z.iso.datetime(), ResourceId]);

const Value = z.string().min(1).max(512);

/** Given again, a parameter narrows the search further: `date=ge2024-01&date=lt2024-02`. */
const Values = z.union([Value.transform((value) => [value]), z.array(Value).max(5)]).optional();

const CommonQuery = z.object({
  _id: z
    .string()
    .regex(/^[A-Za-z0-9\-.]{1,64}(,[A-Za-z0-9\-.]{1,64}){0,99}$/, { error: "Not a FHIR id." })
    .optional()
    .meta({ description: "Logical id, or several separated by commas" }),
  _count: z.coerce
    .number()
    .int()
    .min(1)
    .max(100)
    .default(20)
    .meta({ description: "Most resources on a page" }),
  _format: Format,
  after: Value.optional().meta({ description: "Set by the link to the next page" }),
});

/** Beside those, the search parameters of the type, which are lists of values: `Values`. */
const queryOf = ({ searchParameters }: EnabledType): typeof CommonQuery =>
  CommonQuery.extend(
    Object.fromEntries(
      searchParameters.map((code) => [
        code,
        Values.meta({ description: `FHIR search parameter \`${code}\`; commas mean "or"` }),
      ]),
    ),
  ) as unknown as typeof CommonQuery;

/** Searches a type, last written first: https://hl7.org/fhir/R4/http.html#search. */
export const searchResources = (
  type: EnabledType,
  {
    resources,
    definitions,
    baseUrl,
  }: { resources: ResourceStore; definitions: Definitions; baseUrl: string },
) =>
  endpoint({
    method: "get",
    path: `/fhir/${type.name}`,
    summary: `Search for ${type.name} resources`,
    guard: permits("patients:read", { roles: ["clinician"] }),
    query: queryOf(type),
    reply: { status: 200, mediaType: fhirJson, body: SearchSet },

    async handle({ query, url }) {
      const { _id: ids, _count: count, _format, after, ...asked } = query;
      const filters = searchFilters(definitions.searchParameters(type.name), asked);
      const found = await resources.search(type.name, {
        filters: ids ? [{ _id: trusted({ $in: ids.split(",") }) }, ...filters] : filters,
        limit: count + 1,
        position: after ? positionOf(after) : undefined,
      });
      const { items, nextCursor } = toPage(found, count, ({ meta, id }) => [meta.lastUpdated, id]);
      return toSearchSet(items, { baseUrl, url, nextCursor });
    },
  });

const positionOf = (cursor: string): ResourcePosition => {
  const [lastUpdated, id] = decodeCursor(cursor, Cursor);
  return { lastUpdated: new Date(lastUpdated), id };
};

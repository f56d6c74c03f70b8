/** A page of what a search found: https://hl7.org/fhir/R4/bundle.html#searchset. */
import { z } from "zod";
import type { Resource } from "./resource.ts";

export const SearchSet = z
  .object({
    resourceType: z.literal("Bundle"),
    type: z.literal("searchset"),
    link: z.array(z.object({ relation: z.enum(["self", "next"]), url: z.string() })),
    entry: z
      .array(
        z.object({
          fullUrl: z.string(),
          resource: z.looseObject({ resourceType: z.string() }),
          search: z.object({ mode: z.literal("match") }),
        }),
      )
      // FHIR knows no empty arrays.
      .min(1)
      .optional(),
  })
  .meta({ id: "Bundle", description: "FHIR R4 Bundle: https://hl7.org/fhir/R4/bundle.html" });

/**
 * @param baseUrl where clients reach `/fhir`
 * @param url path and query of this request, `/fhir/Patient?…`
 * @param nextCursor null on the last page
 */
export function toSearchSet(
  found: readonly Resource[],
  { baseUrl, url, nextCursor }: { baseUrl: string; url: string; nextCursor: string | null },
): z.input<typeof SearchSet> {
  const self = new URL(url, baseUrl);
  const next = new URL(self);
  next.searchParams.set("after", nextCursor ?? "");
  return {
    resourceType: "Bundle",
    type: "searchset",
    link: [
      { relation: "self", url: self.href },
      ...(nextCursor ? [{ relation: "next" as const, url: next.href }] : []),
    ],
    ...(found.length > 0 && {
      entry: found.map((resource) => ({
        fullUrl: `${baseUrl}/${resource.resourceType}/${resource.id}`,
        resource,
        search: { mode: "match" as const },
      })),
    }),
  };
}

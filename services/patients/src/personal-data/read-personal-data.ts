import {
  answerPage,
  decodeCursor,
  endpoint,
  PageQuery,
  pageOf,
  permits,
  toPage,
} from "@portico/service-kit";
import { z } from "zod";
import { type ResourceTypeName, resourceTypeNames } from "../resource-types.ts";
import { ResourceId } from "../resources/resource.ts";
import type { ResourceStore } from "../resources/resource-store.ts";

/** That somebody wrote a resource down is about them; what stands in it is about the patient. */
const Recorded = z
  .object({
    resourceType: z.enum(resourceTypeNames),
    id: ResourceId,
    recordedAt: z.iso.datetime(),
  })
  .meta({ id: "RecordedResource" });

type Recorded = z.output<typeof Recorded>;

const Cursor = z.tuple([z.enum(resourceTypeNames), z.iso.datetime(), ResourceId]);

const keyOf = ({ resourceType, recordedAt, id }: Recorded) => [resourceType, recordedAt, id];

/** What patients holds of the caller. For auth alone, which collects a person's export: no client gets the scope. */
export const readPersonalData = (resources: ResourceStore) =>
  endpoint({
    method: "get",
    path: "/patients/personal-data",
    summary: "Read everything that is held of the caller",
    guard: permits("personal-data:read"),
    query: PageQuery,
    reply: {
      status: 200,
      body: pageOf(Recorded),
      headers: { Link: 'The next page, `rel="next"`' },
    },

    async handle({ caller, query: { limit, after }, url }) {
      const found = await recordedBy(resources, caller.subject, limit + 1, after);
      return answerPage(toPage(found, limit, keyOf), url);
    },
  });

/** One type after the other, the last written first. */
async function recordedBy(
  resources: ResourceStore,
  accountId: string,
  limit: number,
  cursor: string | undefined,
): Promise<Recorded[]> {
  const [from, recordedAt, id] = cursor ? decodeCursor(cursor, Cursor) : [];
  const position = recordedAt && id ? { lastUpdated: new Date(recordedAt), id } : undefined;
  const found: Recorded[] = [];
  for (const type of resourceTypeNames.slice(from ? resourceTypeNames.indexOf(from) : 0)) {
    const whence = type === from ? position : undefined;
    const some = await resources.listRecordedBy(accountId, type, limit - found.length, whence);
    found.push(...some.map((one) => toRecorded(type, one)));
    if (found.length === limit) break;
  }
  return found;
}

const toRecorded = (
  resourceType: ResourceTypeName,
  { id, lastUpdated }: { id: string; lastUpdated: Date },
): Recorded => ({ resourceType, id, recordedAt: lastUpdated.toISOString() });

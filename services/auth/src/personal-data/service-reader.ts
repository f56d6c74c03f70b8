/** Reads what another service holds of a person: the only file of auth that calls one. */
import { z } from "zod";
import { boundedFetch } from "../identity-providers/bounded-fetch.ts";
import type { Holder } from "./erasure.ts";

export type OtherHolder = Exclude<Holder, "auth">;

/** `cursor` null: there is no more. */
export type PageOfRecords = { items: object[]; cursor: string | null };

export type ReadRecords = (
  service: OtherHolder,
  accessToken: string,
  cursor: string | null,
) => Promise<PageOfRecords>;

const Answer = z.object({
  items: z.array(z.record(z.string(), z.unknown())),
  nextCursor: z.string().min(1).nullable(),
});

/** So many of the largest records still fit into one answer. */
const pageSize = 25;
const deadlineMs = 10_000;

/** @param origins where each service is reached, without the gateway */
export const readRecordsFrom =
  (origins: Record<OtherHolder, string>): ReadRecords =>
  async (service, accessToken, cursor) => {
    const url = new URL(`/${service}/personal-data?limit=${pageSize}`, origins[service]);
    if (cursor !== null) url.searchParams.set("after", cursor);
    const response = await boundedFetch(url.href, {
      headers: { Accept: "application/json", Authorization: `Bearer ${accessToken}` },
      signal: AbortSignal.timeout(deadlineMs),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`${service} answers ${response.status}.`);
    }
    const { items, nextCursor } = Answer.parse(await response.json());
    return { items, cursor: nextCursor };
  };

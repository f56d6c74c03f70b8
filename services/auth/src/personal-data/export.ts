/**
 * An export: everything that the platform holds of a person, for that person. auth collects it page by
 * page, from each service with a token for that one purpose, keeps the pages sealed, and waits for a
 * service that is away. When it is whole its owner has a day to fetch it.
 */
import { problemType } from "@portico/service-kit";
import { z } from "zod";
import { forEachHolder, type Holder, holders } from "./erasure.ts";

/** No client can be granted it: only auth makes such a token, and shows it to nobody but a service. */
export const exportScope = "personal-data:read";

export const ExportId = z.uuid().meta({ description: "Id of an export" });

/** What one service holds, as far as it is here. */
export type Part = { pages: number; cursor: string | null; collected: boolean };

export type Export = {
  id: string;
  accountId: string;
  requestedAt: Date;
  parts: Record<Holder, Part>;
  /** When it was whole. */
  readyAt: Date | null;
  expiresAt: Date;
};

const dayMs = 86_400_000;
export const readyForMs = dayMs;

/** GDPR article 12(3): without undue delay, and within a month at the latest. */
export const waitsForMs = 30 * dayMs;

/** 2 s, 4 s, 8 s … at most a minute: a service that is away is asked again soon, and not all the time. */
export const pauseMs = (tries: number): number => Math.min(1_000 * 2 ** tries, 60_000);

export const ExportView = z
  .object({
    id: ExportId,
    state: z.enum(["collecting", "ready"]),
    requestedAt: z.iso.datetime(),
    readyAt: z.iso.datetime().nullable(),
    expiresAt: z.iso.datetime().meta({ description: "When it is removed, fetched or not" }),
    services: z.record(z.enum(holders), z.enum(["waiting", "collected"])),
    data: z.string().nullable().meta({ description: "Path of the data; null until it is whole" }),
  })
  .meta({ id: "Export" });

export const pathOf = (id: string): string => `/auth/users/me/exports/${id}`;

export const toView = (one: Export): z.output<typeof ExportView> => ({
  id: one.id,
  state: one.readyAt ? "ready" : "collecting",
  requestedAt: one.requestedAt.toISOString(),
  readyAt: one.readyAt?.toISOString() ?? null,
  expiresAt: one.expiresAt.toISOString(),
  services: forEachHolder((holder) => (one.parts[holder].collected ? "collected" : "waiting")),
  data: one.readyAt ? `${pathOf(one.id)}/data` : null,
});

export const exportNotReady = problemType(
  409,
  "export-not-ready",
  "Not all services have answered yet. The export says which.",
);

import { endpoint, notFound, signedIn } from "@portico/service-kit";
import { z } from "zod";
import { ExportId, ExportView, toView } from "./export.ts";
import type { ExportStore } from "./export-store.ts";

/** How far an export is. Somebody else's looks like a missing one. */
export const getExport = (exports: Pick<ExportStore, "find">, now: () => Date = () => new Date()) =>
  endpoint({
    method: "get",
    path: "/auth/users/me/exports/:exportId",
    summary: "Read how far an export is",
    guard: signedIn,
    params: z.object({ exportId: ExportId }),
    reply: { status: 200, body: ExportView },
    problems: [notFound],

    async handle({ caller, params }) {
      const found = await exports.find(params.exportId, now());
      if (found?.accountId !== caller.subject) throw notFound("There is no such export.");
      return toView(found);
    },
  });

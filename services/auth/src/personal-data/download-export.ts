import {
  answer,
  endpoint,
  notFound,
  Streamed,
  signedInWithin,
  streamed,
} from "@portico/service-kit";
import { z } from "zod";
import { recentS } from "../oidc/recent-sign-in.ts";
import { holders } from "./erasure.ts";
import { type Export, ExportId, exportNotReady } from "./export.ts";
import type { ExportStore } from "./export-store.ts";

/** The data of a finished export. The download is what a thief would want, so it asks for a recent sign-in too. */
export const downloadExport = (exports: ExportStore, now: () => Date = () => new Date()) =>
  endpoint({
    method: "get",
    path: "/auth/users/me/exports/:exportId/data",
    summary: "Fetch the data of an export",
    description: "Needs a sign-in of the last five minutes (RFC 9470).",
    guard: signedInWithin(recentS),
    params: z.object({ exportId: ExportId }),
    reply: {
      status: 200,
      body: streamed("One field for each service, and in it a list of what it holds"),
      headers: { "Content-Disposition": "A name for the file" },
    },
    problems: [notFound, exportNotReady],

    async handle({ caller, params }) {
      const found = await exports.find(params.exportId, now());
      if (found?.accountId !== caller.subject) throw notFound("There is no such export.");
      if (!found.readyAt) throw exportNotReady();
      return answer(new Streamed(writeExport(exports, found)), { headers: asFile });
    },
  });

export const asFile = { "Content-Disposition": 'attachment; filename="portico-export.json"' };

/** Page by page, each a JSON array: their items become one array. */
export async function* writeExport(
  exports: Pick<ExportStore, "pages">,
  one: Export,
): AsyncGenerator<string> {
  for (const [index, holder] of holders.entries()) {
    yield `${index === 0 ? "{" : ","}${JSON.stringify(holder)}:[`;
    let isFirst = true;
    for await (const page of exports.pages(one, holder)) {
      const items = page.slice(1, -1);
      if (items) yield isFirst ? items : `,${items}`;
      isFirst &&= items === "";
    }
    yield "]";
  }
  yield "}";
}

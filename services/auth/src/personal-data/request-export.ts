import { answer, endpoint, missingToken, signedInWithin } from "@portico/service-kit";
import type { FreshAccounts } from "../accounts/fresh-accounts.ts";
import { recentS } from "../oidc/recent-sign-in.ts";
import { ExportView, pathOf, toView } from "./export.ts";
import type { ExportStore } from "./export-store.ts";

/** Asks for everything that is held of the caller. One at a time: asked again, it answers the same. */
export const requestExport = (
  exports: ExportStore,
  accounts: FreshAccounts,
  now: () => Date = () => new Date(),
) =>
  endpoint({
    method: "post",
    path: "/auth/users/me/exports",
    summary: "Ask for an export of your data",
    description:
      "Needs a sign-in of the last five minutes (RFC 9470). Services that are away are waited for. A finished export is replaced.",
    guard: signedInWithin(recentS),
    reply: { status: 202, body: ExportView, headers: { Location: "Path of the export" } },

    async handle({ caller }) {
      if (!(await accounts.find(caller.subject))) throw missingToken();
      const begun = await exports.begin(caller.subject, now());
      return answer(toView(begun), { headers: { Location: pathOf(begun.id) } });
    },
  });

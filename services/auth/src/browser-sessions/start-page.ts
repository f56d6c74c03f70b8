/** Where a browser app sends its person to sign in. */
import { invalidRequest } from "@portico/service-kit";
import { z } from "zod";
import type { FormTokens } from "../pages/form-token.ts";
import { redirect } from "../pages/page.ts";
import { type Page, toHandler } from "../pages/page-handler.ts";
import { browserSessionPath } from "./browser-session.ts";
import type { BrowserSessions } from "./create-browser-sessions.ts";

/** What an app passes on when a service refused a sign-in as too old or too weak (RFC 9470). */
const Demands = z.object({
  max_age: z
    .string()
    .regex(/^\d{1,8}$/)
    .optional(),
  acr_values: z.string().max(200).optional(),
});

export const startPage = (
  { ownClient, pendingSignIns, returnTo }: BrowserSessions,
  formTokens: FormTokens,
) => {
  const page: Page = {
    route: `${browserSessionPath}/start`,
    boundTo: () => "no form",

    async get(request, response) {
      const query = new URL(request.url ?? "", "http://auth").searchParams;
      const demands = Demands.safeParse(Object.fromEntries(query));
      if (!demands.success) throw invalidRequest("max_age or acr_values is not valid.");
      const target = returnTo(query.get("return_to"));
      const pending = pendingSignIns.begin(target, request.headers.cookie);
      response.appendHeader("Set-Cookie", pending.cookie);
      redirect(response, ownClient.authorizationUrl(pending, demands.data).href);
    },
  };
  return toHandler(page, formTokens);
};

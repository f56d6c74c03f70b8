/**
 * A client may send people with a form instead of a link (OpenID Connect Core section 3.1.2.1, RP-Initiated
 * Logout section 2). The library takes that only with cookies that every other site may send along. So the
 * browser is told to come again with the same parameters in the address: then it sends its cookies, which
 * it keeps back from another site's form, and nothing has been done before.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Problem } from "@portico/service-kit";
import { isForm, readFields, showRefusal } from "../pages/page-handler.ts";

const routes = ["/auth/authorize", "/auth/session/end"];

/** As `foreign` handlers of the kit's createApp, before those of the protocol library. */
export const takePostedRequests = routes.map((route) => ({
  route,
  async handler(request: IncomingMessage, response: ServerResponse, next: () => void) {
    if (!isForm(request)) {
      next();
      return;
    }
    try {
      const parameters = await readFields(request);
      response.writeHead(303, { Location: `${route}?${parameters}`, "Cache-Control": "no-store" });
      response.end();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      showRefusal(response, error);
    }
  },
}));

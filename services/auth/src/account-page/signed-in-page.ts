import type { ServerResponse } from "node:http";
import { html } from "../pages/html.ts";
import { redirect, sendPage } from "../pages/page.ts";
import type { PageRequest } from "../pages/page-handler.ts";
import { accountPath, returnPaths } from "./account-client.ts";

/**
 * Where a sign-in for the account page ends. That it went well is not what the address says, which
 * anybody can write: the page that follows looks for the session.
 */
export const signedInPage = {
  route: `${accountPath}/signed-in`,
  handler({ url }: PageRequest, response: ServerResponse) {
    const { searchParams } = new URL(url ?? "", "http://auth");
    const returnTo = returnPaths.find((path) => path === searchParams.get("state")) ?? "";
    if (!searchParams.has("error")) {
      redirect(response, `${accountPath}${returnTo}`);
      return;
    }
    const again = html`<p><a class="button" href="${accountPath}">Sign in</a></p>`;
    sendPage(response, "You are not signed in", again);
  },
};

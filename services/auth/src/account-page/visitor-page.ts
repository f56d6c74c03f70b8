/** A page of the account's owner: who is not signed in, or not recently enough for it, is led there. */
import type { ServerResponse } from "node:http";
import { sessionOf } from "../oidc/signed-in.ts";
import type { FormTokens } from "../pages/form-token.ts";
import type { Html } from "../pages/html.ts";
import { redirect } from "../pages/page.ts";
import { type Page, type PageRequest, toHandler } from "../pages/page-handler.ts";
import { accountPath, type ReturnPath, signInUrl } from "./account-client.ts";
import type { Visitor, Visitors } from "./visitor.ts";

/** What a page is given. */
export type Visit = {
  visitor: Visitor;
  request: PageRequest;
  response: ServerResponse;
  formToken: Html;
};

export type VisitorPage = {
  /** After the account page's own. */
  path: string;
  /** Only for who has just signed in. */
  recently?: boolean;
  /** Where the person comes back to after signing in; the page itself where it can be opened. */
  returnTo: ReturnPath;
  get?(visit: Visit): Promise<void> | void;
  post?(visit: Visit & { form: URLSearchParams }): Promise<void> | void;
};

export type VisitorPageDependencies = {
  visitors: Visitors;
  formTokens: FormTokens;
  issuer: string;
};

export function toVisitorHandler(page: VisitorPage, dependencies: VisitorPageDependencies) {
  const { visitors, formTokens, issuer } = dependencies;
  const { path, recently = false, returnTo, get, post } = page;

  /** The visitor; else the browser is on its way to sign in. */
  const admit = async (request: PageRequest, response: ServerResponse) => {
    const visitor = await visitors.find(request, response);
    if (visitor && (!recently || visitor.isRecent)) return visitor;
    redirect(response, signInUrl(issuer, returnTo, { recently }));
    return undefined;
  };

  const handled: Page = {
    route: `${accountPath}${path}`,
    boundTo: async (request, response) => sessionOf(await visitors.find(request, response)),

    ...(get && {
      async get(request, response, formToken) {
        const visitor = await admit(request, response);
        if (visitor) await get({ visitor, request, response, formToken });
      },
    }),
    ...(post && {
      async post(request, response, form, formToken) {
        const visitor = await admit(request, response);
        if (visitor) await post({ visitor, request, response, form, formToken });
      },
    }),
  };
  return toHandler(handled, formTokens);
}

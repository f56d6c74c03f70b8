/**
 * A page as a `foreign` handler of the kit's createApp: methods, forms, and refusals that people can
 * read. What is wrong on our side goes on to the kit, which logs it.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { forbidden, Problem, payloadTooLarge } from "@portico/service-kit";
import type { FormTokens } from "./form-token.ts";
import { type Html, html } from "./html.ts";
import { sendPage } from "./page.ts";

export type PageRequest = IncomingMessage & {
  params?: Record<string, string | string[]>;
  /** The client's IP address, as the kit determines it. */
  ip?: string | undefined;
};

/** `formToken` is the hidden field that each form of the page must have. */
export type Page = {
  route: string;
  /** True where what the form carries is itself the right to send it: the token of a mailed link. */
  takesFormsFromAnywhere?: true;
  /** What forms are bound to, when it is more than this browser: a session, an interaction. */
  boundTo?(request: PageRequest, response: ServerResponse): string | Promise<string>;
  get?(request: PageRequest, response: ServerResponse, formToken: Html): Promise<void>;
  /** A form that this page showed. */
  post?(
    request: PageRequest,
    response: ServerResponse,
    form: URLSearchParams,
    formToken: Html,
  ): Promise<void>;
};

type Next = () => void;

const isRead = ({ method }: IncomingMessage): boolean => method === "GET" || method === "HEAD";

export const isForm = (request: IncomingMessage): boolean =>
  request.method === "POST" &&
  request.headers["content-type"]?.split(";")[0]?.trim() === "application/x-www-form-urlencoded";

/** Whatever the page does not answer is left to the endpoints of the same path. */
export const toHandler = (page: Page, tokens: FormTokens) => ({
  route: page.route,
  async handler(request: PageRequest, response: ServerResponse, next: Next) {
    try {
      const { get, post } = page;
      if (get && isRead(request)) {
        const boundTo = await bind(page, tokens, request, response);
        await get(request, response, tokens.field(boundTo));
      } else if (post && isForm(request)) {
        const form = await readForm(request);
        const boundTo = await bind(page, tokens, request, response);
        if (!page.takesFormsFromAnywhere) tokens.require(form, boundTo);
        await post(request, response, form, tokens.field(boundTo));
      } else {
        next();
      }
    } catch (error) {
      if (!(error instanceof Problem) || error.status >= 500) throw error;
      showRefusal(response, error);
    }
  },
});

export function showRefusal(response: ServerResponse, { status, detail, headers }: Problem): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const wrong = html`<p class="wrong" role="alert">${detail}</p>`;
  sendPage(response, "This did not work", wrong, { status });
}

async function bind(
  page: Page,
  tokens: FormTokens,
  request: PageRequest,
  response: ServerResponse,
): Promise<string> {
  if (page.boundTo) return page.boundTo(request, response);
  const { boundTo, headers } = tokens.browserOf(request.headers.cookie);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  return boundTo;
}

const longestForm = 16_384;

function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  refuseOtherSites(request);
  return readFields(request);
}

/** Of a form from anywhere. */
export async function readFields(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > longestForm) throw payloadTooLarge();
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

/** Beside SameSite cookies and tokens: a browser says where a form comes from, and no page can forge it. */
function refuseOtherSites(request: IncomingMessage): void {
  const site = request.headers["sec-fetch-site"] ?? "same-origin";
  if (site !== "same-origin" && site !== "none") {
    throw forbidden("This form was sent from another site.");
  }
}

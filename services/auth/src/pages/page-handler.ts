/**
 * A page as a `foreign` handler of the kit's createApp: methods, forms, and refusals that people can
 * read. What is wrong on our side goes on to the kit, which logs it.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { forbidden, Problem, payloadTooLarge } from "@portico/service-kit";
import { html } from "./html.ts";
import { sendPage } from "./page.ts";

export type PageRequest = IncomingMessage & { params?: Record<string, string | string[]> };

export type Page = {
  route: string;
  get?(request: PageRequest, response: ServerResponse): Promise<void>;
  /** A form that this page showed. */
  post(request: PageRequest, response: ServerResponse, form: URLSearchParams): Promise<void>;
};

type Next = () => void;

const isRead = ({ method }: IncomingMessage): boolean => method === "GET" || method === "HEAD";

const isForm = (request: IncomingMessage): boolean =>
  request.method === "POST" &&
  request.headers["content-type"]?.split(";")[0]?.trim() === "application/x-www-form-urlencoded";

/** Whatever the page does not answer is left to the endpoints of the same path. */
export const toHandler = ({ route, get, post }: Page) => ({
  route,
  async handler(request: PageRequest, response: ServerResponse, next: Next) {
    try {
      if (get && isRead(request)) await get(request, response);
      else if (isForm(request)) await post(request, response, await readForm(request));
      else next();
    } catch (error) {
      if (!(error instanceof Problem) || error.status >= 500) throw error;
      for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
      const wrong = html`<p class="wrong" role="alert">${error.detail}</p>`;
      sendPage(response, "This did not work", wrong, { status: error.status });
    }
  },
});

const longestForm = 16_384;

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  refuseOtherSites(request);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > longestForm) throw payloadTooLarge();
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

/** Beside SameSite cookies: a browser says where a form comes from, and no page can forge it. */
function refuseOtherSites(request: IncomingMessage): void {
  const site = request.headers["sec-fetch-site"] ?? "same-origin";
  if (site !== "same-origin" && site !== "none") {
    throw forbidden("This form was sent from another site.");
  }
}

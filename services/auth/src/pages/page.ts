/**
 * Pages that auth serves to people: plain HTML that works without JavaScript, one style sheet, a policy
 * that lets nothing else in. What stands on a page is decided by the folder that shows it.
 */
import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { answer } from "@portico/service-kit";
import { type Html, html } from "./html.ts";

export const stylesheetPath = "/auth/pages.css";
const scriptPath = "/auth/passkeys.js";

const read = (file: string): Buffer => readFileSync(new URL(file, import.meta.url));

/**
 * @param formTargets origins that a form's answer may redirect to: browsers hold `form-action` against
 *   each step of the way. Left out, forms are not limited.
 * @param forPasskeys our one script may run, and ask us for options
 */
export const pagePolicy = (formTargets?: readonly string[], forPasskeys = false): string =>
  [
    "default-src 'none'",
    // Else empty, but there: the protocol library adds the hash of the one script that it has.
    ...(forPasskeys ? ["script-src 'self'", "connect-src 'self'"] : ["script-src"]),
    "style-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    ...(formTargets ? [`form-action 'self' ${formTargets.join(" ")}`.trim()] : []),
  ].join("; ");

type Look = { forPasskeys?: boolean; wide?: boolean };

export const page = (title: string, content: Html, { forPasskeys, wide }: Look = {}): string =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Portico</title>
<link rel="stylesheet" href="${stylesheetPath}">
${forPasskeys ? html`<script src="${scriptPath}" defer></script>` : undefined}
</head>
<body>
<main${wide ? html` class="wide"` : undefined}>
<p class="brand">Portico</p>
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`.toString();

type PageOptions = {
  status?: number;
  formTargets?: readonly string[];
  /** Has forms that passkeys are made or used with. */
  forPasskeys?: boolean;
  /** Has more on it than one form. */
  wide?: boolean;
};

export function sendPage(
  response: ServerResponse,
  title: string,
  content: Html,
  { status = 200, formTargets = [], forPasskeys = false, wide = false }: PageOptions = {},
): void {
  response.writeHead(status, {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": pagePolicy(formTargets, forPasskeys),
    "Cache-Control": "no-store",
  });
  response.end(page(title, content, { forPasskeys, wide }));
}

/** A page as the answer of an endpoint that everybody may call. */
export const pageAnswer = (title: string, content: Html, headers: Record<string, string> = {}) =>
  answer(page(title, content), {
    headers: {
      ...headers,
      "Content-Security-Policy": pagePolicy([]),
      "Cache-Control": "no-store",
    },
  });

/** After a form: the browser gets what follows, and sends nothing twice when it is reloaded. */
export function redirect(response: ServerResponse, location: string): void {
  response.writeHead(303, { Location: location, "Cache-Control": "no-store" });
  response.end();
}

/** For the script of a page. */
export function sendJson(response: ServerResponse, content: unknown): void {
  response.writeHead(200, {
    "Content-Type": "application/json; charset=utf-8",
    "Cache-Control": "no-store",
  });
  response.end(JSON.stringify(content));
}

const serveFile = (route: string, type: string, content: Buffer) => ({
  route,
  handler(_request: unknown, response: ServerResponse) {
    response.writeHead(200, {
      "Content-Type": `${type}; charset=utf-8`,
      "Cache-Control": "public, max-age=300",
    });
    response.end(content);
  },
});

/** What pages load, as `foreign` handlers of the kit's createApp. */
export const serveFiles = [
  serveFile(stylesheetPath, "text/css", read("pages.css")),
  serveFile(scriptPath, "text/javascript", read("passkeys.js")),
];

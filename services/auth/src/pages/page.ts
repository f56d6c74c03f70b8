/**
 * Pages that auth serves to people: plain HTML that works without JavaScript, one style sheet, a policy
 * that lets nothing else in. What stands on a page is decided by the folder that shows it.
 */
import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { type Html, html } from "./html.ts";

export const stylesheetPath = "/auth/pages.css";
const stylesheet = readFileSync(new URL("pages.css", import.meta.url));

/**
 * @param formTargets origins that a form's answer may redirect to: browsers hold `form-action` against
 *   each step of the way. Left out, forms are not limited.
 */
export const pagePolicy = (formTargets?: readonly string[]): string =>
  [
    "default-src 'none'",
    // Empty, but there: the protocol library adds the hash of the one script that it has.
    "script-src",
    "style-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    ...(formTargets ? [`form-action 'self' ${formTargets.join(" ")}`.trim()] : []),
  ].join("; ");

export const page = (title: string, content: Html): string =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Portico</title>
<link rel="stylesheet" href="${stylesheetPath}">
</head>
<body>
<main>
<p class="brand">Portico</p>
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`.toString();

type PageOptions = { status?: number; formTargets?: readonly string[] };

export function sendPage(
  response: ServerResponse,
  title: string,
  content: Html,
  options: PageOptions = {},
): void {
  response.writeHead(options.status ?? 200, {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": pagePolicy(options.formTargets ?? []),
    "Cache-Control": "no-store",
  });
  response.end(page(title, content));
}

/** As a `foreign` handler of the kit's createApp. */
export const serveStylesheet = {
  route: stylesheetPath,
  handler(_request: unknown, response: ServerResponse) {
    response.writeHead(200, {
      "Content-Type": "text/css; charset=utf-8",
      "Cache-Control": "public, max-age=300",
    });
    response.end(stylesheet);
  },
};

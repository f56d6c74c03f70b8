/** Parts of the account page. */
import type { ServerResponse } from "node:http";
import { type Html, html } from "../pages/html.ts";
import { sendPage } from "../pages/page.ts";
import { accountPath } from "./account-client.ts";

type Options = { status?: number; forPasskeys?: boolean };

/** A page below the account page: with the way back. */
export const showBelow = (
  response: ServerResponse,
  title: string,
  content: Html,
  options: Options = {},
): void =>
  sendPage(
    response,
    title,
    html`${content}
<p class="back"><a href="${accountPath}">Back to your account</a></p>`,
    { ...options, wide: true },
  );

export const section = (id: string, title: string, content: Html): Html =>
  html`<section aria-labelledby="${id}">
<h2 id="${id}">${title}</h2>
${content}
</section>`;

/** A button that does one thing. @param label for people who do not see what it stands beside */
export const button = (
  action: string,
  formToken: Html,
  text: string,
  { label = text, fields = html`` }: { label?: string; fields?: Html } = {},
): Html =>
  html`<form method="post" action="${accountPath}${action}" class="small">
${formToken}
${fields}
<button type="submit" class="second" aria-label="${label}">${text}</button>
</form>`;

const inWords = new Intl.DateTimeFormat("en-GB", {
  dateStyle: "medium",
  timeStyle: "short",
  timeZone: "UTC",
});

/** The page has no script that could know the person's time zone. */
export const time = (at: Date): Html =>
  html`<time datetime="${at.toISOString()}">${inWords.format(at)} UTC</time>`;

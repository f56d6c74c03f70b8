/**
 * The inbox for people: a list and a message, rendered here, without a script and without anything
 * from elsewhere. A mail is untrusted input: its text is escaped, its HTML stands in a sandboxed
 * frame that may not run scripts, submit forms, load images or read this page.
 */
import { createHash } from "node:crypto";
import { type Response, Router } from "express";
import { z } from "zod";
import { Html, html } from "../html.ts";
import { type Message, urlInText } from "./message.ts";
import type { MessagePage, MessageStore } from "./message-store.ts";
import { style } from "./page-style.ts";

const pageSize = 50;

const PageQuery = z.object({
  to: z.string().trim().max(320).optional(),
  cursor: z.string().regex(/^\d+$/).optional(),
});

/** What a page shows: the list with its filter, and the message being read, if any. */
type View = {
  to: string | undefined;
  cursor: string | undefined;
  page: MessagePage;
  reading: Message | undefined;
  now: number;
};

export function inboxPages(store: MessageStore, now: () => number): Router {
  const pages = Router();

  const viewOf = (query: unknown, reading?: Message): View => {
    const parsed = PageQuery.safeParse(query);
    const to = parsed.data?.to || undefined;
    const cursor = parsed.data?.cursor;
    return { to, cursor, page: store.list({ to }, pageSize, cursor), reading, now: now() };
  };

  pages.get("/", (request, response) => {
    const view = viewOf(request.query);
    // Only the top of the list changes by itself; reading further down is left in peace.
    if (!view.cursor) response.set("Refresh", "5");
    send(response, view);
  });

  pages.get("/messages/:id", (request, response) => {
    const message = store.find(request.params.id);
    if (!message) return response.redirect(303, "/");
    send(response, viewOf(request.query, message));
  });

  pages.post("/clear", (request, response) => {
    // A page of another site could post here: browsers say where a request comes from.
    const site = request.get("sec-fetch-site") ?? "same-origin";
    if (site === "same-origin") store.clear();
    response.redirect(303, "/");
  });

  return pages;
}

const styleSource = `'sha256-${createHash("sha256").update(style).digest("base64")}'`;

function send(response: Response, view: View): void {
  // A srcdoc frame inherits this policy, and mails are styled by style attributes, which no hash
  // covers; without scripts, images or fonts to load, a style can do no harm.
  const styles = view.reading?.html ? "'unsafe-inline'" : styleSource;
  response
    .set("Content-Security-Policy", `default-src 'none'; style-src ${styles}; ${otherSources}`)
    .type("html")
    .send(`<!doctype html>${document(view)}`);
}

const otherSources = "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const document = (view: View): Html => html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${view.reading ? titleOf(view.reading) : "Inbox"} · Portico</title>
<link rel="icon" href="data:,">
<style>${rawStyle}</style>
</head>
<body class="${view.reading ? "reading" : "listing"}">
<header>
<h1><a href="/">Portico inbox</a></h1>
<form class="search" action="/" role="search">
<input type="search" name="to" value="${view.to}" placeholder="Recipient, in full" aria-label="Recipient">
<button>Show</button>
</form>
<form action="/clear" method="post"><button>Clear all</button></form>
</header>
<main>
${list(view)}
${view.reading ? reading(view.reading, view) : html`<article><p class="empty">${hint(view)}</p></article>`}
</main>
</body>
</html>`;

// The hash in the policy is over these very bytes, so they may not be escaped; they hold no input.
const rawStyle = new Html(style);

const hint = ({ page }: View): string =>
  page.messages.length > 0
    ? "Choose a message to read it."
    : "Every mail that the system sends appears here.";

const titleOf = (message: Message): string => message.subject || "(no subject)";

const search = (view: View, more: Record<string, string> = {}): string => {
  const query = new URLSearchParams({ ...(view.to && { to: view.to }), ...more }).toString();
  return query && `?${query}`;
};

function list(view: View): Html {
  const { messages, next } = view.page;
  if (messages.length === 0) {
    const what = view.to ? html`No mail for <b>${view.to}</b>.` : html`No mail yet.`;
    return html`<nav aria-label="Messages"><p class="empty">${what}</p></nav>`;
  }
  const older =
    next && html`<a class="older" href="/${search(view, { cursor: next })}">Older messages</a>`;

  return html`<nav aria-label="Messages"><ol>${messages.map((message) => entry(message, view))}</ol>${older}</nav>`;
}

const entry = (message: Message, view: View): Html => html`
<li><a href="/messages/${message.id}${search(view)}"${message.id === view.reading?.id && html` aria-current="page"`}>
<strong>${titleOf(message)}</strong><time datetime="${message.receivedAt}" title="${message.receivedAt}">${age(message, view.now)}</time>
<span>${message.to.join(", ")}</span>
</a></li>`;

function age({ receivedAt }: Message, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(receivedAt)) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return receivedAt.slice(0, 10);
}

const reading = (message: Message, view: View): Html => html`<article>
<a class="back" href="/${search(view)}">All messages</a>
<h2>${titleOf(message)}</h2>
<dl>
<dt>From</dt><dd>${message.from}</dd>
<dt>To</dt><dd>${message.to.join(", ")}</dd>
<dt>Received</dt><dd><time datetime="${message.receivedAt}">${message.receivedAt.replace("T", " ").slice(0, 19)} UTC</time>
<span class="soft">· ${size(message.bytes)} · <a href="/api/messages/${message.id}/raw">source</a></span></dd>
</dl>
${links(message)}
${message.html && frame(message)}
<details${!message.html && html` open`}><summary>Text</summary><pre>${linked(message.text)}</pre></details>
${attachments(message)}
<details><summary>Headers</summary><dl>${message.headers.map(({ name, value }) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl></details>
</article>`;

const anchor = (url: string): Html =>
  html`<a href="${url}" target="_blank" rel="noopener noreferrer">${url}</a>`;

const links = (message: Message): Html | undefined =>
  message.links.length === 0
    ? undefined
    : html`<section class="links" aria-label="Links"><span class="soft">${message.links.length === 1 ? "Link" : "Links"} in this message</span>
<ul>${message.links.map((url) => html`<li>${anchor(url)}</li>`)}</ul></section>`;

const frame = (message: Message): Html =>
  html`<iframe title="The message as HTML" sandbox="allow-popups allow-popups-to-escape-sandbox" referrerpolicy="no-referrer" srcdoc="${`<base target="_blank">${message.html}`}"></iframe>`;

/** The text, escaped, with its addresses made into links. */
function linked(text: string): Html[] {
  const urls = text.match(urlInText) ?? [];
  return text
    .split(urlInText)
    .map((between, index) => html`${between}${urls[index] && anchor(urls[index])}`);
}

const attachments = (message: Message): Html | undefined =>
  message.attachments.length === 0
    ? undefined
    : html`<details><summary>Attachments</summary><dl>${message.attachments.map(
        (file) =>
          html`<dt>${file.filename || "unnamed"}</dt><dd>${file.contentType}, ${size(file.bytes)}</dd>`,
      )}</dl></details>`;

const size = (bytes: number): string =>
  bytes < 1024 ? `${bytes} bytes` : `${(bytes / 1024).toFixed(1)} KiB`;

import { pipeline } from "node:stream/promises";
import { notFound } from "@portico/service-kit";
import { type Html, html } from "../pages/html.ts";
import { redirect } from "../pages/page.ts";
import { asFile, writeExport } from "../personal-data/download-export.ts";
import type { Export } from "../personal-data/export.ts";
import type { ExportStore } from "../personal-data/export-store.ts";
import { accountPath } from "./account-client.ts";
import { showBelow, time } from "./fragments.ts";
import type { Visit, VisitorPage } from "./visitor-page.ts";

/** What `POST /auth/users/me/exports` and its followers do, for people: see personal-data/. */
export const exportPages = (exports: ExportStore, now = () => new Date()): VisitorPage[] => [
  {
    path: "/export",
    recently: true,
    returnTo: "/export",

    async get({ visitor, response, formToken }) {
      const found = await exports.findOf(visitor.account.id, now());
      showBelow(response, "Your data", found ? progressOf(found, formToken) : offer(formToken));
    },

    async post({ visitor, response }) {
      await exports.begin(visitor.account.id, now());
      redirect(response, `${accountPath}/export`);
    },
  },
  {
    path: "/export/data",
    recently: true,
    returnTo: "/export",
    get: (visit) => download(exports, visit, now()),
  },
];

const offer = (formToken: Html): Html =>
  html`<p>Everything that the platform holds of you, in one file. Collecting it takes a moment.</p>
${collectButton(formToken, "Collect my data")}`;

const collectButton = (formToken: Html, text: string): Html =>
  html`<form method="post" action="${accountPath}/export">
${formToken}
<button type="submit" class="second">${text}</button>
</form>`;

const progressOf = ({ requestedAt, readyAt, expiresAt }: Export, formToken: Html): Html =>
  readyAt
    ? html`<p>Collected ${time(readyAt)}. It is removed ${time(expiresAt)}.</p>
<p><a class="button" href="${accountPath}/export/data">Download it</a></p>
${collectButton(formToken, "Collect it anew")}`
    : html`<p>Being collected since ${time(requestedAt)}. This page does not follow by itself: reload it in a moment.</p>
<p><a class="button second" href="${accountPath}/export">Reload</a></p>`;

async function download(
  exports: ExportStore,
  { visitor, response }: Visit,
  now: Date,
): Promise<void> {
  const found = await exports.findOf(visitor.account.id, now);
  if (!found?.readyAt) throw notFound("There is nothing to download yet.");
  response.writeHead(200, {
    "Content-Type": "application/json; charset=utf-8",
    "Cache-Control": "no-store",
    ...asFile,
  });
  await pipeline(writeExport(exports, found), response);
}

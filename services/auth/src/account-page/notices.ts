import type { ServerResponse } from "node:http";
import { type Html, html } from "../pages/html.ts";
import { redirect } from "../pages/page.ts";
import { accountPath } from "./account-client.ts";

/** What has just been done: the address says which, and nothing that is not here is ever shown. */
const notices = {
  name: "Your name is saved.",
  "link-sent": "If your address is not verified yet, a mail is on its way to it.",
  "session-ended": "That device is signed out.",
  "others-ended": "Everywhere else you are signed out.",
  linked: "It is linked.",
  unlinked: "It is unlinked.",
  withdrawn: "The application can do nothing for you any more.",
  "authenticator-removed": "The authenticator app is removed. Everywhere else you are signed out.",
  "passkey-removed": "The passkey is removed. Everywhere else you are signed out.",
  "passkey-added": "The passkey is added.",
  "authenticator-added": "The authenticator app is added.",
} as const;

export type Notice = keyof typeof notices;

const isNotice = (given: string | null): given is Notice => given !== null && given in notices;

/** @param page after the account page's path */
export const goTo = (response: ServerResponse, notice: Notice, page = ""): void =>
  redirect(response, `${accountPath}${page}?done=${notice}`);

export function noticeOf(url: string | undefined): Html {
  const done = new URL(url ?? "", "http://auth").searchParams.get("done");
  return isNotice(done) ? html`<p class="notice" role="status">${notices[done]}</p>` : html``;
}

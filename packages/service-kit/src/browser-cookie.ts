/**
 * Browser apps: their access token is in a cookie that no script can read, put there by auth's browser
 * sessions. A browser sends it along whichever page asks, so a request that may change something has to
 * come from a page of our own (cross-site request forgery; beside SameSite).
 */
import type { IncomingMessage } from "node:http";
import { forbidden } from "./problem.ts";

/** The prefix has browsers take it from this host only, over TLS or loopback (RFC 6265bis section 4.1.3.2). */
export const accessTokenCookie = "__Host-portico-access";

export function readCookie(header: string | undefined, name: string): string | undefined {
  const pair = header
    ?.split(";")
    .map((text) => text.trim())
    .find((text) => text.startsWith(`${name}=`));
  return pair?.slice(name.length + 1) || undefined;
}

const safeMethods = new Set(["GET", "HEAD", "OPTIONS"]);

/** The access token that a browser sent by itself; throws 403 when another site made it send the request. */
export function tokenOfBrowser({ headers, method }: IncomingMessage): string | undefined {
  const token = readCookie(headers.cookie, accessTokenCookie);
  if (token && !safeMethods.has(method ?? "")) requireOwnPage((name) => headers[name]?.toString());
  return token;
}

/**
 * Fetch Metadata says where a request comes from; a browser that does not know it names the page's origin
 * with whatever may change something. No page can forge either. Neither of them is no browser of today.
 */
export function requireOwnPage(header: (name: string) => string | undefined): void {
  const site = header("sec-fetch-site");
  const isOwn =
    site === undefined
      ? URL.parse(header("origin") ?? "")?.host === header("host")
      : site === "same-origin";
  if (!isOwn) throw forbidden("Only a page of this origin may send this with its cookies.");
}

/**
 * The proof that a form was shown to the browser that sends it (against cross-site request forgery,
 * beside SameSite cookies and Sec-Fetch-Site): each form carries a MAC over what it is bound to, a
 * session, an interaction, or else a random cookie. Nobody can make one for somebody else's.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { problemType } from "@portico/service-kit";
import { type Html, html } from "./html.ts";

/** A browser that a form is bound to, and the headers that make it remember that. */
export type KnownBrowser = { boundTo: string; headers: Record<string, string> };

export type FormTokens = {
  /** The hidden field of a form. */
  field(boundTo: string): Html;
  /** Throws unless the form has the field that was made for the same. */
  require(form: URLSearchParams, boundTo: string): void;
  /** For pages that belong to no session. */
  browserOf(cookieHeader: string | undefined): KnownBrowser;
};

export const outdatedForm = problemType(
  403,
  "outdated-form",
  "This page is out of date. Go back, reload it, and try again.",
);

const fieldName = "form_token";

/** @param keys the first one makes tokens, all of them are accepted */
export function createFormTokens(publicOrigin: string, keys: readonly string[]): FormTokens {
  const isSecure = publicOrigin.startsWith("https:");
  // The prefix lets no sibling domain, and nothing without TLS, put such a cookie here.
  const cookieName = isSecure ? "__Host-portico-form" : "portico-form";
  const attributes = `Path=/; HttpOnly; SameSite=Lax${isSecure ? "; Secure" : ""}`;

  return {
    field: (boundTo) =>
      html`<input type="hidden" name="${fieldName}" value="${tokenOf(keys[0] ?? "", boundTo)}">`,

    require(form, boundTo) {
      const given = Buffer.from(form.get(fieldName) ?? "");
      const matches = keys.some((key) => isEqual(given, Buffer.from(tokenOf(key, boundTo))));
      if (!matches) throw outdatedForm();
    },

    browserOf(cookieHeader) {
      const known = readCookie(cookieHeader, cookieName);
      if (known) return { boundTo: `browser ${known}`, headers: {} };
      const fresh = randomBytes(16).toString("base64url");
      const headers = { "Set-Cookie": `${cookieName}=${fresh}; ${attributes}` };
      return { boundTo: `browser ${fresh}`, headers };
    },
  };
}

/** The same keys sign cookies; of those no signed text begins with a word and a space. */
const tokenOf = (key: string, boundTo: string): string =>
  createHmac("sha256", key).update(`form ${boundTo}`).digest("base64url");

const isEqual = (one: Buffer, other: Buffer): boolean =>
  one.length === other.length && timingSafeEqual(one, other);

const readCookie = (header = "", name: string): string | undefined =>
  header
    .split("; ")
    .find((pair) => pair.startsWith(`${name}=`))
    ?.slice(name.length + 1);

/** The protocol library's own pages, in our looks. */
import type { ErrorOut, KoaContextWithOIDC } from "oidc-provider";
import { html, trusted } from "../pages/html.ts";
import { page } from "../pages/page.ts";

/** Not redirected to the client: either it or its redirect URI is what is wrong. */
export function renderError(ctx: KoaContextWithOIDC, out: ErrorOut): void {
  ctx.type = "html";
  ctx.body = page(
    "This did not work",
    html`<p class="wrong" role="alert">${out.error_description ?? out.error}</p>
<p>Go back to the application and start again.</p>`,
  );
}

/** @param form with the library's protection against cross-site requests; its buttons are ours */
export function renderSignOut(ctx: KoaContextWithOIDC, form: string): void {
  ctx.type = "html";
  ctx.body = page(
    "Sign out?",
    html`${trusted(form)}
<p>This browser will no longer be signed in.</p>
<button type="submit" form="op.logoutForm" name="logout" value="yes">Sign out</button>
<button type="submit" form="op.logoutForm" class="second">Stay signed in</button>`,
  );
}

export function renderSignedOut(ctx: KoaContextWithOIDC): void {
  ctx.type = "html";
  ctx.body = page(
    "Signed out",
    html`<p>You can close this page, or <a href="/auth/account">sign in again</a>.</p>`,
  );
}

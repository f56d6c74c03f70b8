/** What a person sees of the device flow (RFC 8628 section 3.3): type the code, compare and confirm, done. */
import type { Client, ErrorOut, KoaContextWithOIDC } from "oidc-provider";
import { type Html, html, join } from "../pages/html.ts";
import { page } from "../pages/page.ts";
import type { DeviceRequest } from "./guard-device-page.ts";

/** Asks for the user code; again when there was something wrong with the last one. */
export function askForCode(
  ctx: KoaContextWithOIDC,
  _form: string,
  out?: ErrorOut,
  error?: Error,
): void {
  if (error?.name === "AbortedError") {
    show(ctx, "Cancelled", html`<p>The device was not let in. You can close this page.</p>`);
    return;
  }
  const wrong = error && whatIsWrong(error, out);
  if (wrong) ctx.status = 400;
  show(
    ctx,
    "Connect a device",
    join([
      wrong ? html`<p class="wrong" role="alert">${wrong}</p>` : html``,
      formOf(
        ctx,
        html`<label for="user_code">The code that your device shows</label>
<input id="user_code" name="user_code" value="${givenCode(ctx)}" required
  autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="20">
<button type="submit">Continue</button>`,
      ),
    ]),
  );
}

/** Section 5.4: a person who was sent a link by somebody else must notice that no device of theirs asks. */
export function confirmCode(
  ctx: KoaContextWithOIDC,
  _form: string,
  client: Client,
  _deviceInfo: unknown,
  userCode: string,
): void {
  const name = client.clientName ?? client.clientId;
  show(
    ctx,
    "Is this your device?",
    formOf(
      ctx,
      html`<p>${name} asks to act for you on a device that shows this code:</p>
<p><strong>${userCode}</strong></p>
<p>Continue only if the device is in front of you. Whoever has it will be able to use your account.</p>
<input type="hidden" name="user_code" value="${userCode}">
<button type="submit" name="confirm" value="yes">It is mine, continue</button>
<button type="submit" class="second" name="abort" value="yes">Cancel</button>`,
    ),
  );
}

export function deviceConnected(ctx: KoaContextWithOIDC): void {
  show(ctx, "Connected", html`<p>Your device is signed in. You can close this page.</p>`);
}

/** A link with a code in it leads to the same form, filled in. */
const givenCode = (ctx: KoaContextWithOIDC): string => (ctx.req as DeviceRequest).userCode ?? "";

const messages: Record<string, string> = {
  NoCodeError: "Type the code that your device shows.",
  NotFoundError: "There is no such code. Compare it with the one that your device shows.",
  ExpiredError: "The code has expired. Ask your device for a new one.",
  AlreadyUsedError: "The code has been used. Ask your device for a new one.",
};

const whatIsWrong = (error: Error, out: ErrorOut | undefined): string =>
  messages[error.name] ?? out?.error_description ?? "This did not work. Try again.";

/** With the library's own protection against cross-site requests. */
const formOf = ({ oidc }: KoaContextWithOIDC, fields: Html): Html =>
  html`<form method="post" action="/auth/device">
<input type="hidden" name="xsrf" value="${String(oidc.session?.state?.secret ?? "")}">
${fields}
</form>`;

function show(ctx: KoaContextWithOIDC, title: string, content: Html): void {
  ctx.type = "html";
  ctx.body = page(title, content);
}

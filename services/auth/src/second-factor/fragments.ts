/** Parts of pages about second factors, for signing in and for the account page. */
import { type Html, html, join } from "../pages/html.ts";
import { readable } from "./authenticator.ts";
import type { OfferedSecret } from "./enrol-authenticator.ts";
import { qrCode } from "./qr-code.ts";

type Form = { action: string; formToken: Html };

/** @param wrong what was wrong with the code that was typed */
export const codeField = (label: string, wrong?: string): Html => html`${problem(wrong)}
<label for="otp">${label}</label>
<input id="otp" name="otp" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9 ]*" maxlength="7" required${marked(wrong)}>`;

export const problem = (wrong: string | undefined): Html =>
  wrong === undefined ? html`` : html`<p class="wrong" role="alert" id="wrong">${wrong}</p>`;

/** Ties a field to what is wrong with it. */
export const marked = (wrong: string | undefined): Html | undefined =>
  wrong === undefined ? undefined : html` aria-invalid="true" aria-describedby="wrong"`;

export async function authenticatorForm(
  { action, formToken }: Form,
  offer: OfferedSecret,
  wrong?: string,
): Promise<Html> {
  return html`<form method="post" action="${action}">
${formToken}
<input type="hidden" name="sealed" value="${offer.sealed}">
<p>Scan this with an authenticator app:</p>
${await qrCode(offer.uri)}
<p>Or type this into it: <code>${readable(offer.secret)}</code></p>
${codeField("The code that the app shows now", wrong)}
<button type="submit">Add the app</button>
</form>`;
}

type PasskeyForm = Form & { options: string; label: string };

/** Hidden until the script finds that this browser has passkeys. */
const passkeyForm = (kind: "create" | "get", form: PasskeyForm, fields?: Html): Html =>
  html`<form method="post" action="${form.action}" data-passkey="${kind}" data-options="${form.options}" hidden>
${form.formToken}
<input type="hidden" name="passkey" value="">
<p class="wrong" role="alert" hidden>That did not work. Try again, or use another way.</p>
${fields}
<button type="submit" class="second">${form.label}</button>
</form>`;

export const usePasskeyForm = (form: PasskeyForm): Html => passkeyForm("get", form);

export const addPasskeyForm = (form: PasskeyForm): Html =>
  passkeyForm(
    "create",
    form,
    html`<label for="name">A name for the passkey</label>
<input id="name" name="name" maxlength="50" autocomplete="off" value="Passkey" required>`,
  );

/** Once, right after they were made: only their hashes are kept. */
export const recoveryCodeList = (codes: readonly string[]): Html =>
  html`<p>Keep these recovery codes where you keep things safe. Each of them signs you in once, instead of your
second factor, when you do not have it at hand. They are shown only now.</p>
<ul class="codes">
${join(codes.map((code) => html`<li><code>${code}</code></li>`))}
</ul>`;

import { type Html, html } from "../pages/html.ts";

export const resetTitle = "Choose a new password";

/** @param complaint what is wrong with the password that was sent */
export function resetForm(token: string, complaint?: string): Html {
  const wrong = html`<p class="wrong" role="alert" id="wrong">${complaint}</p>`;
  const invalid = html` aria-invalid="true" aria-describedby="wrong"`;
  return html`<p>At least 8 characters. A few words that you will remember are better than signs and digits.</p>
${complaint === undefined ? undefined : wrong}
<form method="post" action="/auth/reset">
<input type="hidden" name="token" value="${token}">
<label for="password">New password</label>
<input id="password" name="password" type="password" autocomplete="new-password" minlength="8" required${complaint === undefined ? undefined : invalid}>
<button type="submit">Change the password</button>
</form>`;
}

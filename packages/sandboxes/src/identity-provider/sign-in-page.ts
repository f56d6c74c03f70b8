/** The page that asks who it is: pick a person, or be a new one. There are no passwords. */
import { createHash } from "node:crypto";
import { Html, html } from "../html.ts";
import { style } from "./page-style.ts";
import { nameOf, type Person } from "./people.ts";

const styleHash = createHash("sha256").update(style).digest("base64");
// The hash in the policy is over these very bytes, so they may not be escaped; they hold no input.
const rawStyle = new Html(style);

/** @param target where the client waits for its answer: browsers hold `form-action` against redirects too */
export const pagePolicy = (target: string): string =>
  [
    "default-src 'none'",
    `style-src 'sha256-${styleHash}'`,
    `form-action 'self' ${new URL(target).origin}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");

export const signInPage = (uid: string, clientId: string, people: readonly Person[]): string =>
  html`<!doctype html><html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in · Sandbox ID</title>
<link rel="icon" href="data:,">
<style>${rawStyle}</style>
</head>
<body>
<main>
<h1>Sandbox ID</h1>
<p>Choose who signs in to ${clientId}. This identity provider is a stand-in: nobody has a password.</p>
${people.map((person) => choice(uid, person))}
<h2>Somebody new</h2>
<form method="post" action="/sign-in/${uid}">
<label>Given name <input name="givenName" required maxlength="60"></label>
<label>Family name <input name="familyName" required maxlength="60"></label>
<label>E-mail address <input name="email" type="email" required maxlength="254"></label>
<label class="check"><input type="checkbox" name="emailVerified" value="yes" checked> The address is verified</label>
<button>Sign in</button>
</form>
<form method="post" action="/sign-in/${uid}"><button name="cancel" value="yes">Cancel</button></form>
</main>
</body>
</html>`.toString();

const choice = (uid: string, person: Person): Html => html`
<form method="post" action="/sign-in/${uid}"><button name="sub" value="${person.sub}">${nameOf(person)}
<small>${person.email}${person.emailVerified ? "" : " (not verified)"}</small></button></form>`;

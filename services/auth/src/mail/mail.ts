/**
 * Mail: how a message looks, in HTML and in plain text, and how it is handed to the SMTP server. What
 * it says, and when, is decided by the folder that sends it.
 */
import { html, join } from "../pages/html.ts";

export type Mail = { subject: string; text: string; html: string };

type MailParts = {
  subject: string;
  paragraphs: readonly string[];
  action: { text: string; link: string };
  closing: string;
};

/** Styles stand on the elements: mail programs drop style sheets. */
const paragraphStyle = "margin:0 0 16px;font:16px/1.5 system-ui,sans-serif;color:#1d2733";
const buttonStyle =
  "display:inline-block;padding:12px 20px;border-radius:8px;background:#1d4ed8;color:#ffffff;" +
  "font:600 16px system-ui,sans-serif;text-decoration:none";

export const toMail = ({ subject, paragraphs, action, closing }: MailParts): Mail => ({
  subject,
  text: [...paragraphs, `${action.text}:\n${action.link}`, closing, ""].join("\n\n"),
  html: html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${subject}</title></head>
<body style="margin:0;padding:32px 16px;background:#f4f6f8">
<div style="max-width:480px;margin:0 auto;padding:32px;border-radius:12px;background:#ffffff">
${join(paragraphs.map((text) => html`<p style="${paragraphStyle}">${text}</p>`))}
<p style="${paragraphStyle}"><a href="${action.link}" style="${buttonStyle}">${action.text}</a></p>
<p style="${paragraphStyle}">Or copy this link: <br>${action.link}</p>
<p style="${paragraphStyle}">${closing}</p>
</div>
</body>
</html>`.toString(),
});

import { type Mail, toMail } from "../mail/mail.ts";

export const verificationMail = (link: string): Mail =>
  toMail({
    subject: "Verify your e-mail address",
    paragraphs: [
      "Please confirm that this address is yours. The link works once, within one hour.",
    ],
    action: { text: "Verify this address", link },
    // Never the person's name: whoever signs up types it, and the mail would carry it to a stranger.
    closing: "If you did not sign up, ignore this mail: nothing happens without you.",
  });

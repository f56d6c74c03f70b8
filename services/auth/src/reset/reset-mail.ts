import { type Mail, toMail } from "../mail/mail.ts";

export const resetMail = (link: string): Mail =>
  toMail({
    subject: "Choose a new password",
    paragraphs: [
      "Somebody asked to reset the password of the account with this address. The link works once, within one hour.",
      "With the new password everybody who is signed in to the account is signed out.",
    ],
    action: { text: "Choose a new password", link },
    closing: "If it was not you, ignore this mail: the password stays as it is.",
  });

/** NIST SP 800-63B-4 section 4.6: whoever owns the account hears of it, also when it was somebody else. */
export const passwordChangedMail = (link: string): Mail =>
  toMail({
    subject: "Your password was changed",
    paragraphs: [
      "The password of the account with this address was changed just now, and everybody who was signed in was signed out.",
      "If it was not you, choose a new one at once.",
    ],
    action: { text: "Choose a new password", link },
    closing: "If it was you, there is nothing to do.",
  });

import { domainToASCII } from "node:url";
import { z } from "zod";

/**
 * One spelling for each mailbox: without what surrounds it, in lower case (two people are never told apart
 * by it), its domain as DNS has it (IDNA, UTS 46). Before the @ it is ASCII only, so that no two addresses
 * merely look alike; what a provider means by a dot or a plus there is its own affair.
 */
function normaliseAddress(given: string): string {
  const [, mailbox = "", domain = ""] = /^\s*(\S+)@(\S+)\s*$/.exec(given) ?? [];
  // Outside of ASCII there are letters whose lower case is an ASCII letter.
  return isAscii(mailbox) ? `${mailbox.toLowerCase()}@${domainToASCII(domain)}` : given;
}

const isAscii = (text: string): boolean => /^[!-~]+$/.test(text);

const atom = "[a-z0-9!#$%&'*+/=?^_`{|}~-]+";
const label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";

/** RFC 5321 section 4.1.2: a dot-string and a domain, of several labels and no number at its end. */
const address = new RegExp(`^${atom}(?:\\.${atom})*@(?:${label}\\.)+(?=[a-z])${label}$`);

/** RFC 5321 section 4.5.3.1. */
const longestAddress = 254;
const longestLocalPart = 64;

export const EmailAddress = z
  .string()
  .max(2 * longestAddress)
  .overwrite(normaliseAddress)
  .max(longestAddress)
  .refine((email) => address.test(email) && email.indexOf("@") <= longestLocalPart, {
    error: "Not an e-mail address.",
  })
  .meta({ format: "email", description: "E-mail address; compared without case" });

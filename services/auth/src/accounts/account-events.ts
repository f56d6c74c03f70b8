/** What auth says about accounts. No event carries an address or a token: Redis and the outbox keep them. */
import type { EventToSend } from "@portico/service-kit/events";

/** The account's owner is to be sent a verification link. */
export const verificationRequested = (accountId: string): EventToSend => ({
  type: "verification-requested",
  subject: accountId,
  data: { accountId },
});

/**
 * A mail was asked for that must not be sent. Written as the others are, so that the time to answer says
 * nothing about it; nobody acts on it.
 */
export const mailWithheld = (accountId: string): EventToSend => ({
  type: "mail-withheld",
  subject: accountId,
  data: { accountId },
});

/** Somebody signed up with an address that has an account already. */
export const signUpRepeated = (accountId: string): EventToSend => ({
  type: "sign-up-repeated",
  subject: accountId,
  data: { accountId },
});

/** Somebody asked for a new password; the account's owner is to be sent a link. */
export const resetRequested = (accountId: string): EventToSend => ({
  type: "reset-requested",
  subject: accountId,
  data: { accountId },
});

/** The account has another password than before; its owner is to hear of it. */
export const passwordChanged = (accountId: string): EventToSend => ({
  type: "password-changed",
  subject: accountId,
  data: { accountId },
});

/** What auth says about accounts. No event carries an address or a token: Redis and the outbox keep them. */
import type { EventToSend } from "@portico/service-kit/events";

/** The account's owner is to be sent a verification link. */
export const verificationRequested = (accountId: string): EventToSend => ({
  type: "verification-requested",
  subject: accountId,
  data: { accountId },
});

/** Somebody signed up with an address that has an account already. */
export const signUpRepeated = (accountId: string): EventToSend => ({
  type: "sign-up-repeated",
  subject: accountId,
  data: { accountId },
});

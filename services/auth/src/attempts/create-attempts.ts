import type { Redis } from "ioredis";
import { createMailLimit, type MailLimit } from "./mail-limit.ts";
import { createPlaceLimit, type PlaceLimit } from "./place-limit.ts";
import { createSignInAttempts, type SignInAttempts } from "./sign-in-attempts.ts";

/** Every limit on what anybody may try without having proved anything. */
export type Attempts = {
  signIns: SignInAttempts;
  signUps: PlaceLimit;
  /** Requests for a link to reset a password. */
  resets: PlaceLimit;
  /** Tries of mailed links. */
  links: PlaceLimit;
  deviceCodes: PlaceLimit;
  mails: MailLimit;
};

/** @param perPlace of each kind, in a quarter of an hour */
export const createAttempts = (redis: Redis, perPlace: number): Attempts => ({
  signIns: createSignInAttempts(redis, perPlace),
  signUps: createPlaceLimit(redis, "sign-up", perPlace),
  resets: createPlaceLimit(redis, "reset", perPlace),
  links: createPlaceLimit(redis, "link", perPlace),
  deviceCodes: createPlaceLimit(redis, "device-code", perPlace),
  mails: createMailLimit(redis),
});

import type { Logger } from "@portico/service-kit";
import type { Outbox } from "@portico/service-kit/events";
import type { Redis } from "ioredis";
import type { Connection } from "mongoose";
import { createGuessLimit } from "../attempts/guess-limit.ts";
import type { KeyRing } from "../key-ring/key-ring.ts";
import type { Role } from "../roles/role.ts";
import { createCeremonyStore } from "./ceremony-store.ts";
import { type EnrolAuthenticator, enrolAuthenticatorWith } from "./enrol-authenticator.ts";
import { createPasskeys, type Passkeys } from "./passkeys.ts";
import { tellOfAdditions } from "./second-factor-events.ts";
import { createSecondFactorStore, type SecondFactorStore } from "./second-factor-store.ts";
import { type VerifyCode, verifyCodeWith } from "./verify-code.ts";

/** Everything that pages and endpoints need of this folder. */
export type SecondFactor = {
  factors: SecondFactorStore;
  enrolAuthenticator: EnrolAuthenticator;
  verifyCode: VerifyCode;
  passkeys: Passkeys;
  /** Whoever has one of these roles must have a second factor. */
  rolesThatNeedIt: readonly Role[];
};

export function createSecondFactor(given: {
  mongo: Connection;
  redis: Redis;
  outbox: Outbox;
  keyRing: KeyRing;
  publicOrigin: string;
  rolesThatNeedIt: readonly Role[];
  logger: Logger;
}): SecondFactor {
  const { mongo, redis, outbox, keyRing, publicOrigin, rolesThatNeedIt, logger } = given;
  const factors = tellOfAdditions(createSecondFactorStore(mongo), outbox, logger);
  return {
    factors,
    enrolAuthenticator: enrolAuthenticatorWith(keyRing, factors),
    verifyCode: verifyCodeWith(keyRing, factors, createGuessLimit(redis, "second-factor"), logger),
    passkeys: createPasskeys(publicOrigin, factors, createCeremonyStore(mongo)),
    rolesThatNeedIt,
  };
}

import type { Logger } from "@portico/service-kit";
import type { GuessLimit } from "../attempts/guess-limit.ts";
import type { KeyRing } from "../key-ring/key-ring.ts";
import { stepOf } from "./authenticator.ts";
import { keptFor } from "./enrol-authenticator.ts";
import { hashCode } from "./recovery-codes.ts";
import type { SecondFactorStore } from "./second-factor-store.ts";

/** What a person typed: a code of the app, or a recovery code. */
export type GivenCode = { otp: string } | { recoveryCode: string };

/** True once for each code. Throws 429 after too many wrong ones. */
export type VerifyCode = (accountId: string, given: GivenCode) => Promise<boolean>;

const longestCode = 50;

export function verifyCodeWith(
  keyRing: KeyRing,
  factors: SecondFactorStore,
  guesses: GuessLimit,
  logger: Pick<Logger, "warn">,
  now: () => number = Date.now,
): VerifyCode {
  const isCode = async (accountId: string, otp: string) => {
    const { authenticator } = await factors.find(accountId);
    if (!authenticator) return false;
    const { sealedSecret } = authenticator;
    const { plaintext: secret, byFirst } = keyRing.open(sealedSecret, keptFor(accountId));
    const step = stepOf(secret, otp, now());
    if (step === undefined) return false;
    if (byFirst) return factors.useStep(accountId, step);
    const to = keyRing.seal(secret, keptFor(accountId));
    return factors.useStep(accountId, step, { from: sealedSecret, to });
  };

  const isRecoveryCode = async (accountId: string, recoveryCode: string) => {
    if (recoveryCode.length > longestCode) return false;
    const salt = await factors.findRecoverySalt(accountId);
    if (!salt) return false;
    return factors.useRecoveryCode(accountId, await hashCode(recoveryCode, salt));
  };

  return async (accountId, given) => {
    await guesses.count(accountId);
    const isRight =
      "otp" in given
        ? await isCode(accountId, given.otp)
        : await isRecoveryCode(accountId, given.recoveryCode);
    if (isRight) await guesses.forget(accountId);
    else logger.warn("second-factor.refused", { accountId, kind: Object.keys(given)[0] });
    return isRight;
  };
}

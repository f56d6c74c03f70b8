import type { Account } from "../accounts/account.ts";
import type { SecondFactor } from "./create-second-factor.ts";
import {
  enrolmentRequired,
  invalidSecondFactor,
  isBelow,
  isEnrolled,
  levelNeeded,
  methods,
  secondFactorRequired,
  together,
} from "./second-factor.ts";

/** What came along with a password. */
export type GivenCodes = { otp?: string | undefined; recoveryCode?: string | undefined };

/** Where there is no page to lead a person to: answers `amr` (RFC 8176), or throws what is missing. */
export type RequireSecondFactor = (account: Account, given: GivenCodes) => Promise<string[]>;

export const requireSecondFactorWith =
  ({ factors, verifyCode, rolesThatNeedIt }: SecondFactor): RequireSecondFactor =>
  async (account, { otp, recoveryCode }) => {
    const byPassword = [methods.password];
    const enrolled = await factors.find(account.id);
    if (!isBelow("aal1", levelNeeded(account, enrolled, rolesThatNeedIt))) return byPassword;
    if (!isEnrolled(enrolled)) throw enrolmentRequired();
    if (otp === undefined && recoveryCode === undefined) throw secondFactorRequired();
    const given = otp !== undefined ? { otp } : { recoveryCode: recoveryCode ?? "" };
    if (!(await verifyCode(account.id, given))) throw invalidSecondFactor();
    return together(byPassword, methods.code);
  };

import type { Connection } from "mongoose";
import type { AccountStore } from "../accounts/account-store.ts";
import { hashToken, refusalOf, unknownLink, VerificationToken } from "./verification.ts";
import type { VerificationStore } from "./verification-store.ts";

/** Uses a link; throws the problem that says why it cannot be used. */
export type VerifyAddress = (token: string) => Promise<void>;

/** Link and account change together: cut off in between, the link can be used again. */
export const verifyAddressWith =
  (
    connection: Connection,
    accounts: AccountStore,
    verifications: VerificationStore,
  ): VerifyAddress =>
  async (token) => {
    if (!VerificationToken.safeParse(token).success) throw unknownLink();
    const tokenHash = hashToken(token);
    const used = await connection.transaction(async (session) => {
      const verification = await verifications.use(tokenHash, new Date(), session);
      if (!verification) return false;
      await accounts.markEmailVerified(verification.accountId, verification.email, session);
      return true;
    });
    if (!used) throw refusalOf(await verifications.find(tokenHash));
  };

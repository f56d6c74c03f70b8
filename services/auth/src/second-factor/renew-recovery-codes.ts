import type { Logger } from "@portico/service-kit";
import type { Outbox } from "@portico/service-kit/events";
import { newRecoveryCodes } from "./recovery-codes.ts";
import { secondFactorChanged } from "./second-factor-events.ts";
import type { SecondFactorStore } from "./second-factor-store.ts";

/** Ten new codes, to be shown once; those before are worth nothing from then on. */
export type RenewRecoveryCodes = (accountId: string) => Promise<string[]>;

export const renewRecoveryCodesWith =
  (
    factors: Pick<SecondFactorStore, "setRecoveryCodes">,
    outbox: Outbox,
    logger: Pick<Logger, "info">,
  ): RenewRecoveryCodes =>
  async (accountId) => {
    const { codes, kept } = await newRecoveryCodes();
    await outbox.transaction(async (session, emit) => {
      await factors.setRecoveryCodes(accountId, kept, session);
      await emit(secondFactorChanged(accountId, "recovery-codes-renewed"));
    });
    logger.info("second-factor.changed", { accountId, change: "recovery-codes-renewed" });
    return codes;
  };

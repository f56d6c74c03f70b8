import type { Interaction, Provider } from "oidc-provider";
import { z } from "zod";
import type { Account } from "../accounts/account.ts";
import type { FreshAccounts } from "../accounts/fresh-accounts.ts";
import { requireActive } from "../accounts/require-active.ts";
import type { SecondFactor } from "../second-factor/create-second-factor.ts";
import {
  isBelow,
  isEnrolled,
  levelNeeded,
  levelOf,
  type SecondFactors,
} from "../second-factor/second-factor.ts";
import type { CurrentProvider } from "./current-provider.ts";
import { ended } from "./load-interaction.ts";

/** What a person has proved, in this interaction or in the session that it began in. */
export type Proved = {
  account: Account;
  amr: readonly string[];
  /** Seconds: when the first factor was proved, `auth_time` in tokens. */
  signedInAt: number;
};

/** Where a sign-in stands: what is to be asked next. */
export type SignInStep =
  | { name: "first-factor" }
  | { name: "second-factor"; proved: Proved; enrolled: SecondFactors }
  | { name: "enrolment"; proved: Proved }
  | { name: "done"; proved: Proved };

export type FindSignInStep = (interaction: Interaction) => Promise<SignInStep>;

/** Kept with the interaction, and never under the name of a finished login, which the library would take. */
export const FirstFactor = z.object({
  accountId: z.string(),
  amr: z.array(z.string()),
  signedInAt: z.number(),
});

/** The reason of sign-in-policy.ts. */
export const secondFactorMissing = "second_factor";

export const findSignInStepWith =
  (
    currentProvider: CurrentProvider,
    accounts: FreshAccounts,
    secondFactor: SecondFactor,
  ): FindSignInStep =>
  async (interaction) => {
    const first = kept(interaction) ?? (await fromSession(currentProvider(), interaction));
    if (!first) return { name: "first-factor" };
    const account = await accounts.find(first.accountId);
    if (!account) throw ended();
    requireActive(account);
    const proved = { ...first, account };
    const enrolled = await secondFactor.factors.find(account.id);
    const needed = levelNeeded(
      account,
      enrolled,
      secondFactor.rolesThatNeedIt,
      acrValuesOf(interaction),
    );
    if (!isBelow(levelOf(proved.amr), needed)) return { name: "done", proved };
    return isEnrolled(enrolled)
      ? { name: "second-factor", proved, enrolled }
      : { name: "enrolment", proved };
  };

export const acrValuesOf = ({ params }: Interaction): string => String(params.acr_values ?? "");

const kept = ({ result }: Interaction): z.output<typeof FirstFactor> | undefined =>
  FirstFactor.safeParse(result?.firstFactor).data;

/** Step-up: who is signed in, and lacks nothing but a second factor, proves only that. */
async function fromSession(provider: Provider, { prompt, session }: Interaction) {
  const isStepUp = prompt.reasons.every((reason) => reason === secondFactorMissing);
  const signedIn = isStepUp && session && (await provider.Session.findByUid(session.uid));
  if (!signedIn || signedIn.accountId === undefined) return undefined;
  const { accountId, amr = [], loginTs = 0 } = signedIn;
  return { accountId, amr, signedInAt: loginTs };
}

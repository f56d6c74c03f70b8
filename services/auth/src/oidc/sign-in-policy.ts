import { type FindAccount, interactionPolicy, type KoaContextWithOIDC } from "oidc-provider";
import type { Account } from "../accounts/account.ts";
import type { SecondFactor } from "../second-factor/create-second-factor.ts";
import { isBelow, levelNeeded, levelOf, needsByRole } from "../second-factor/second-factor.ts";
import type { OidcAccountOfOurs } from "./account-claims.ts";
import { secondFactorMissing } from "./sign-in-step.ts";

/**
 * When the protocol library asks a person to sign in: when it would by itself, and when somebody who is
 * signed in lacks a second factor that they have, that a role of theirs needs, or that the client asks
 * for by `acr_values` (OpenID Connect Core section 3.1.2.1).
 */
export function signInPolicy(
  secondFactor: Pick<SecondFactor, "factors" | "rolesThatNeedIt">,
): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base();
  policy
    .get("login")
    ?.checks.add(
      new interactionPolicy.Check(
        secondFactorMissing,
        "a second factor is needed",
        "login_required",
        (ctx) => lacksSecondFactor(ctx, secondFactor),
      ),
    );
  return policy;
}

type Token = Parameters<FindAccount>[2];

/**
 * A role that needs a second factor may have come after the sign-in that a refresh token goes back to:
 * it is worth nothing then, and the client sends the person to sign in.
 */
export const mayRefresh = (
  account: Account,
  token: Token,
  { rolesThatNeedIt }: Pick<SecondFactor, "rolesThatNeedIt">,
): boolean =>
  token?.kind !== "RefreshToken" ||
  levelOf(token.amr) === "aal2" ||
  !needsByRole(account, rolesThatNeedIt);

async function lacksSecondFactor(
  { oidc }: KoaContextWithOIDC,
  { factors, rolesThatNeedIt }: Pick<SecondFactor, "factors" | "rolesThatNeedIt">,
): Promise<boolean> {
  const account = (oidc.account as OidcAccountOfOurs | undefined)?.stored;
  const level = levelOf(oidc.session?.amr);
  if (!account || level === "aal2") return false;
  const enrolled = await factors.find(account.id);
  const acrValues = String(oidc.params?.acr_values ?? "");
  return isBelow(level, levelNeeded(account, enrolled, rolesThatNeedIt, acrValues));
}

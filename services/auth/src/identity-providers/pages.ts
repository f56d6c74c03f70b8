import type { Logger } from "@portico/service-kit";
import type { CurrentProvider } from "../oidc/current-provider.ts";
import type { FinishSignIn } from "../oidc/finish-sign-in.ts";
import { findSignedInWith } from "../oidc/signed-in.ts";
import type { FormTokens } from "../pages/form-token.ts";
import { arrivalPage } from "./arrival-page.ts";
import { callbackPage } from "./callback-page.ts";
import type { IdentityProviders } from "./create-identity-providers.ts";
import { finishLinkingWith } from "./finish-linking.ts";
import { startPage } from "./start-page.ts";

type Dependencies = {
  currentProvider: CurrentProvider;
  identityProviders: IdentityProviders;
  finishSignIn: FinishSignIn;
  formTokens: FormTokens;
  logger: Logger;
};

/** As `foreign` handlers of the kit's createApp. */
export const identityProviderPages = ({ identityProviders, ...rest }: Dependencies) => {
  const findSignedIn = findSignedInWith(rest.currentProvider);
  const dependencies = { ...identityProviders, ...rest, findSignedIn };
  return [
    startPage(dependencies),
    callbackPage({ ...dependencies, finishLinking: finishLinkingWith(dependencies) }),
    arrivalPage(dependencies),
  ];
};

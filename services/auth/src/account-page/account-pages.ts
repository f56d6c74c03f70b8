/**
 * The account page: where people look after their account without asking anybody. This folder owns what
 * they see and press; what happens then is in the folders that own it.
 */

import type { Logger } from "@portico/service-kit";
import type { IdentityProviders } from "../identity-providers/create-identity-providers.ts";
import type { CurrentProvider } from "../oidc/current-provider.ts";
import type { EraseAccount } from "../personal-data/erase-account.ts";
import type { ExportStore } from "../personal-data/export-store.ts";
import { type AccountFormDependencies, accountForms } from "./account-forms.ts";
import { deletePage } from "./delete-page.ts";
import { exportPages } from "./export-page.ts";
import { linkIdentityPage } from "./link-identity-page.ts";
import { type OverviewDependencies, overviewPage } from "./overview-page.ts";
import { type SecurityFormDependencies, securityForms } from "./security-forms.ts";
import { type SecurityDependencies, securityPage, showSecurityWith } from "./security-page.ts";
import { signedInPage } from "./signed-in-page.ts";
import { toVisitorHandler, type VisitorPageDependencies } from "./visitor-page.ts";

export type AccountPageDependencies = AccountFormDependencies &
  Omit<OverviewDependencies, "clientName"> &
  Omit<SecurityDependencies, "enrolAuthenticator"> &
  Omit<SecurityFormDependencies, "show" | "linking"> &
  VisitorPageDependencies & {
    currentProvider: CurrentProvider;
    identityProviders: IdentityProviders;
    exports: ExportStore;
    eraseAccount: EraseAccount;
    logger: Logger;
  };

/** As `foreign` handlers of the kit's createApp. */
export function accountPages(dependencies: AccountPageDependencies) {
  const { currentProvider, secondFactor, identityProviders, eraseAccount, logger } = dependencies;
  const clientName = async (id: string) =>
    (await currentProvider().Client.find(id))?.clientName ?? id;
  const { enrolAuthenticator } = secondFactor;
  const show = showSecurityWith({ ...dependencies, enrolAuthenticator });
  const pages = [
    overviewPage({ ...dependencies, clientName }),
    ...accountForms(dependencies),
    securityPage(show),
    ...securityForms({ ...dependencies, show, linking: identityProviders.linking }),
    linkIdentityPage(identityProviders.federation, logger),
    ...exportPages(dependencies.exports),
    deletePage(eraseAccount),
  ];
  return [signedInPage, ...pages.map((page) => toVisitorHandler(page, dependencies))];
}

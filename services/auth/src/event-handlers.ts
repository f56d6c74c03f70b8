/** What auth does about events: its own, most of them a mail to write, and those of the other services. */
import type { Logger } from "@portico/service-kit";
import type { EventHandler } from "@portico/service-kit/events";
import type { AccountStore } from "./accounts/account-store.ts";
import { sendSignUpRepeated } from "./accounts/sign-up-repeated-mail.ts";
import type { Federation } from "./identity-providers/federation.ts";
import { identityHandlers } from "./identity-providers/identity-mail.ts";
import { tokenWith } from "./links/link.ts";
import type { LinkStore } from "./links/link-store.ts";
import { mailLinkWith } from "./links/mail-link.ts";
import { tellClientWith } from "./logout/tell-client.ts";
import { deliverWith } from "./mail/deliver.ts";
import type { Mailer } from "./mail/mailer.ts";
import type { CurrentProvider } from "./oidc/current-provider.ts";
import type { ErasureStore } from "./personal-data/erasure-store.ts";
import { erasureHandlers } from "./personal-data/follow-erasures.ts";
import type { Holdings } from "./personal-data/holding.ts";
import { sendPasswordChanged, sendReset } from "./reset/send-reset.ts";
import { sendSecondFactorChanged } from "./second-factor/second-factor-changed-mail.ts";
import { sendVerification } from "./verification/send-verification.ts";

type Dependencies = {
  accounts: AccountStore;
  links: LinkStore;
  mailer: Mailer;
  mailedLinkKeys: readonly Buffer[];
  erasures: ErasureStore;
  holdings: Holdings;
  federation: Federation;
  currentProvider: CurrentProvider;
  publicOrigin: string;
  frontendUrl: string;
  logger: Logger;
};

/** Full event type -> what auth does about it. */
type Handlers = Record<string, EventHandler>;

export function createEventHandlers(dependencies: Dependencies): {
  eventHandlers: Handlers;
  /** Apart, so that a mail never waits for a client that does not answer. */
  logoutHandlers: Handlers;
} {
  const { accounts, publicOrigin, frontendUrl, logger } = dependencies;
  const deliver = deliverWith(dependencies.mailer, logger);
  const mailLink = mailLinkWith(
    dependencies.links,
    tokenWith(dependencies.mailedLinkKeys),
    deliver,
  );
  return {
    eventHandlers: {
      ...erasureHandlers(dependencies.erasures, dependencies.holdings),
      ...identityHandlers({ accounts, federation: dependencies.federation, deliver, publicOrigin }),
      "dev.portico.auth.verification-requested": sendVerification(accounts, mailLink, publicOrigin),
      "dev.portico.auth.sign-up-repeated": sendSignUpRepeated(accounts, deliver, frontendUrl),
      "dev.portico.auth.reset-requested": sendReset(accounts, mailLink, publicOrigin),
      "dev.portico.auth.second-factor-changed": sendSecondFactorChanged(
        accounts,
        deliver,
        publicOrigin,
      ),
      "dev.portico.auth.password-changed": sendPasswordChanged(accounts, deliver, publicOrigin),
    },
    logoutHandlers: {
      "dev.portico.auth.client-signed-out": tellClientWith(dependencies.currentProvider, logger),
    },
  };
}

/** Puts the service together from its configuration and its stores: for main.ts, and for tests. */
import {
  createTokenVerifier,
  type Logger,
  type Metrics,
  type Revocations,
} from "@portico/service-kit";
import type { Outbox } from "@portico/service-kit/events";
import type { Redis } from "ioredis";
import type { Connection } from "mongoose";
import { createVisitors } from "./account-page/visitor.ts";
import { createAccountStore } from "./accounts/account-store.ts";
import { administerWith } from "./accounts/administer.ts";
import { authenticateWith } from "./accounts/authenticate.ts";
import { changePasswordWith } from "./accounts/change-password.ts";
import { readFresh } from "./accounts/fresh-accounts.ts";
import { replacePasswordWith } from "./accounts/replace-password.ts";
import { signUpWith } from "./accounts/sign-up.ts";
import { createAuth } from "./app.ts";
import { createAttempts } from "./attempts/create-attempts.ts";
import { createBrowserSessions } from "./browser-sessions/create-browser-sessions.ts";
import { ownClient } from "./browser-sessions/own-client.ts";
import { administerClientsWith } from "./clients/administer-clients.ts";
import { createClientStore } from "./clients/client-store.ts";
import { clientAdapter, rememberClients } from "./clients/known-clients.ts";
import { isOnLaptop } from "./clients/redirect-uri.ts";
import type { AuthConfig } from "./config.ts";
import { askConsentWith } from "./consent/ask-consent.ts";
import { createConsentStore } from "./consent/consent-store.ts";
import { withdrawConsentWith } from "./consent/withdraw-consent.ts";
import { createEventHandlers } from "./event-handlers.ts";
import { createIdentityProviders } from "./identity-providers/create-identity-providers.ts";
import { createKeyRing } from "./key-ring/key-ring.ts";
import { createLinkStore } from "./links/link-store.ts";
import { announceEndWith } from "./logout/announce-end.ts";
import type { Mailer } from "./mail/mailer.ts";
import { accessTokenAdapter, createAdapters } from "./oidc/adapter.ts";
import { currentProviderWith } from "./oidc/current-provider.ts";
import { finishSignInWith } from "./oidc/finish-sign-in.ts";
import { issueAccessTokenWith } from "./oidc/issue-access-token.ts";
import { createProvider } from "./oidc/provider.ts";
import { readAccessTokenWith } from "./oidc/read-access-token.ts";
import { findSignInStepWith } from "./oidc/sign-in-step.ts";
import { createFormTokens } from "./pages/form-token.ts";
import { nextUrl } from "./pages/next-url.ts";
import { startCollecting } from "./personal-data/collect-exports.ts";
import { eraseAccountWith } from "./personal-data/erase-account.ts";
import { createErasureStore } from "./personal-data/erasure-store.ts";
import { createExportStore } from "./personal-data/export-store.ts";
import { startAsking } from "./personal-data/follow-erasures.ts";
import { holdingsOf } from "./personal-data/holdings.ts";
import { issueExportTokenWith } from "./personal-data/issue-export-token.ts";
import { readRecordsFrom } from "./personal-data/service-reader.ts";
import { createFamilyStore } from "./refresh-tokens/family-store.ts";
import { createRefreshTokenFormat } from "./refresh-tokens/refresh-token.ts";
import { refreshTokenAdapter } from "./refresh-tokens/refresh-token-adapter.ts";
import { requestResetWith } from "./reset/request-reset.ts";
import { resetPasswordWith } from "./reset/reset-password.ts";
import { createRevocationStore } from "./revocation/revocation-store.ts";
import { revokeWith } from "./revocation/revoke.ts";
import { createSecondFactor } from "./second-factor/create-second-factor.ts";
import { removeSecondFactorWith } from "./second-factor/remove-second-factor.ts";
import { renewRecoveryCodesWith } from "./second-factor/renew-recovery-codes.ts";
import { requireSecondFactorWith } from "./second-factor/require-second-factor.ts";
import { createSessionStore } from "./sessions/session-store.ts";
import { scheduleOf } from "./signing-keys/signing-key.ts";
import { createSigningKeyStore } from "./signing-keys/signing-key-store.ts";
import { openSigningKeys } from "./signing-keys/signing-keys.ts";
import { startTestMailboxes } from "./test-mailboxes/follow-links.ts";
import { sendAgainWith } from "./verification/request-verification.ts";
import { verifyAddressWith } from "./verification/verify-address.ts";

export type Parts = {
  config: AuthConfig;
  mongo: Connection;
  redis: Redis;
  outbox: Outbox;
  mailer: Mailer;
  revocations: Revocations;
  logger: Logger;
  metrics: Metrics;
};

export async function assemble(parts: Parts) {
  const { config, mongo, redis, outbox, mailer, revocations, logger, metrics } = parts;
  const frontendUrl = nextUrl(config.publicOrigin, config.frontendUrl);
  const accounts = createAccountStore(mongo);
  const links = createLinkStore(mongo);
  const freshAccounts = readFresh(accounts);
  const revoke = revokeWith(mongo, accounts, createRevocationStore(mongo));
  const clients = createClientStore(mongo);
  const knownClients = rememberClients(clients);
  const consents = createConsentStore(mongo);
  const families = createFamilyStore(mongo);
  const sessions = createSessionStore(
    mongo,
    families,
    revoke,
    announceEndWith(knownClients, outbox),
  );
  const erasures = createErasureStore(mongo);
  const keyRing = createKeyRing(config.keyEncryptionKey);
  const refreshTokens = createRefreshTokenFormat(keyRing.derive("refresh-token"));
  const cookieKeys = config.cookieKeys.reveal().split(",");
  const secondFactor = createSecondFactor({
    mongo,
    redis,
    outbox,
    keyRing,
    publicOrigin: config.publicOrigin,
    rolesThatNeedIt: config.secondFactorRoles,
    logger,
  });
  const identityProviders = createIdentityProviders({
    mongo,
    outbox,
    accounts,
    factors: secondFactor.factors,
    sessions,
    providers: config.identityProviders ?? [],
    issuer: config.issuer,
    publicOrigin: config.publicOrigin,
    logger,
  });
  const exports = createExportStore(mongo, keyRing);
  const holdings = holdingsOf({
    accounts,
    sessions,
    links,
    identities: identityProviders.identities,
    factors: secondFactor.factors,
    consents,
    exports,
  });
  const verifyAccessToken = createTokenVerifier({ ...config, revocations });
  const ownSecret = String(keyRing.derive("own-client")[0]?.toString("base64url"));
  const browserSessions = createBrowserSessions({
    mongo,
    keyRing,
    config,
    secret: ownSecret,
    verifyAccessToken,
  });
  const readAccessToken = readAccessTokenWith(
    createTokenVerifier({ ...config, revocations, proofs: "elsewhere" }),
  );
  const signingKeys = await openSigningKeys({
    store: createSigningKeyStore(mongo, keyRing),
    schedule: scheduleOf(config.signingKeyDays),
    revoke,
    logger,
  });
  const aboutProvider = {
    issuer: config.issuer,
    audience: config.audience,
    cookieKeys,
    nonceSecrets: keyRing.derive("dpop-nonce"),
    accounts: freshAccounts,
    adapters: createAdapters(mongo, {
      AccessToken: accessTokenAdapter(revoke),
      Client: clientAdapter(knownClients),
      RefreshToken: refreshTokenAdapter(refreshTokens, families),
    }),
    refreshTokens,
    readAccessToken,
    revoke,
    secondFactor,
    ownClient: ownClient(config.publicOrigin, ownSecret),
    outbox,
    logger,
  };
  const currentProvider = currentProviderWith(signingKeys, (keys) =>
    createProvider({ ...aboutProvider, signingKeys: keys }),
  );
  const attempts = createAttempts(redis, config.attemptsPerPlace);
  const authenticate = authenticateWith(accounts, attempts.signIns);
  const replacePassword = replacePasswordWith(accounts, outbox, revoke, sessions);
  const app = createAuth({
    accounts,
    freshAccounts,
    administer: administerWith(mongo, accounts, revoke, sessions, logger),
    clients: administerClientsWith({
      connection: mongo,
      clients,
      known: knownClients,
      revoke,
      consents,
      onLaptop: isOnLaptop(config.issuer),
    }),
    consents,
    askConsent: askConsentWith(consents),
    withdrawConsent: withdrawConsentWith(mongo, consents, sessions),
    sessions,
    outbox,
    attempts,
    signUp: signUpWith({ accounts, outbox, attempts }),
    authenticate,
    requireSecondFactor: requireSecondFactorWith(secondFactor),
    issueAccessToken: issueAccessTokenWith(currentProvider, config.audience),
    verifyAddress: verifyAddressWith(mongo, accounts, links, attempts),
    requestReset: requestResetWith(accounts, outbox, attempts),
    resetPassword: resetPasswordWith({
      accounts,
      links,
      attempts,
      replacePassword,
      async removeWaysIn(accountId, session) {
        await secondFactor.factors.removeAll(accountId, session);
        await identityProviders.identities.removeAll(accountId, session);
      },
    }),
    sendAgain: sendAgainWith(outbox, attempts),
    visitors: createVisitors({ currentProvider, freshAccounts, secondFactor }),
    removeSecondFactor: removeSecondFactorWith({
      accounts,
      secondFactor,
      identities: identityProviders.identities,
      sessions,
      revoke,
      outbox,
      logger,
    }),
    renewRecoveryCodes: renewRecoveryCodesWith(secondFactor.factors, outbox, logger),
    issuer: config.issuer,
    changePassword: changePasswordWith(accounts, authenticate, replacePassword),
    readAccessToken,
    testDomain: config.testEmailDomain,
    verifyAccessToken,
    currentProvider,
    signingKeys,
    redis,
    formTokens: createFormTokens(config.publicOrigin, cookieKeys),
    browserSessions,
    eraseAccount: eraseAccountWith({ accounts, holdings, erasures, revoke, outbox }),
    erasures,
    exports,
    secondFactor,
    identityProviders,
    findSignInStep: findSignInStepWith(currentProvider, freshAccounts, secondFactor),
    finishSignIn: finishSignInWith(currentProvider, secondFactor, identityProviders.pendingLinks),
    frontendUrl,
    trustedHops: config.trustedHops,
    logger,
    metrics,
  });

  const handlers = createEventHandlers({
    accounts,
    links,
    mailer,
    mailedLinkKeys: keyRing.derive("mailed-link"),
    erasures,
    holdings,
    federation: identityProviders.federation,
    currentProvider,
    publicOrigin: config.publicOrigin,
    frontendUrl,
    logger,
  });
  /** What goes on beside requests and events, until it is stopped. */
  const startLoops = () => [
    signingKeys.follow(),
    startAsking(erasures, outbox, logger),
    startCollecting({
      exports,
      holdings,
      issueExportToken: issueExportTokenWith(currentProvider, freshAccounts, config.audience),
      readRecords: readRecordsFrom(config.serviceOrigins),
      logger,
    }),
    ...startTestMailboxes(config, logger),
  ];
  return { app, ...handlers, startLoops };
}

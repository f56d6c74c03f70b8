/** auth: who people are, and what clients may do for them. The list of endpoints is the table of contents. */
import { type AppOptions, createApp } from "@portico/service-kit";
import type { Outbox } from "@portico/service-kit/events";
import type { Redis } from "ioredis";
import { type AccountPageDependencies, accountPages } from "./account-page/account-pages.ts";
import type { AccountStore } from "./accounts/account-store.ts";
import type { Administer } from "./accounts/administer.ts";
import type { Authenticate } from "./accounts/authenticate.ts";
import { type ChangePassword, changePasswordEndpoint } from "./accounts/change-password.ts";
import { changeUser } from "./accounts/change-user.ts";
import type { FreshAccounts } from "./accounts/fresh-accounts.ts";
import { getMe } from "./accounts/get-me.ts";
import { getUser } from "./accounts/get-user.ts";
import { listUsers } from "./accounts/list-users.ts";
import { openSignUp } from "./accounts/open-sign-up.ts";
import { signIn } from "./accounts/sign-in.ts";
import { type SignUp, signUpEndpoint } from "./accounts/sign-up.ts";
import { signUpPage } from "./accounts/sign-up-page.ts";
import { tokenStatus } from "./accounts/token-status.ts";
import type { Attempts } from "./attempts/create-attempts.ts";
import { callbackPage } from "./browser-sessions/callback-page.ts";
import type { BrowserSessions } from "./browser-sessions/create-browser-sessions.ts";
import { endBrowserSession } from "./browser-sessions/end-browser-session.ts";
import { getBrowserSession } from "./browser-sessions/get-browser-session.ts";
import { refreshBrowserSession } from "./browser-sessions/refresh-browser-session.ts";
import { startPage } from "./browser-sessions/start-page.ts";
import type { ClientAdministration } from "./clients/administer-clients.ts";
import { clientEndpoints } from "./clients/endpoints.ts";
import type { AskConsent } from "./consent/ask-consent.ts";
import type { ConsentStore } from "./consent/consent-store.ts";
import { endConsent } from "./consent/end-consent.ts";
import { listConsents } from "./consent/list-consents.ts";
import type { WithdrawConsent } from "./consent/withdraw-consent.ts";
import { guardDevicePage } from "./device/guard-device-page.ts";
import { limitDeviceCodes } from "./device/limit-device-codes.ts";
import type { IdentityProviders } from "./identity-providers/create-identity-providers.ts";
import { listIdentities } from "./identity-providers/list-identities.ts";
import { identityProviderPages } from "./identity-providers/pages.ts";
import { unlinkIdentity } from "./identity-providers/unlink-identity.ts";
import type { CurrentProvider } from "./oidc/current-provider.ts";
import type { FinishSignIn } from "./oidc/finish-sign-in.ts";
import { interaction } from "./oidc/interaction.ts";
import type { IssueAccessToken } from "./oidc/issue-access-token.ts";
import { mountProvider } from "./oidc/mount.ts";
import type { ReadAccessToken } from "./oidc/read-access-token.ts";
import { secondStep } from "./oidc/second-step.ts";
import type { FindSignInStep } from "./oidc/sign-in-step.ts";
import { takePostedRequests } from "./oidc/take-posted-requests.ts";
import type { FormTokens } from "./pages/form-token.ts";
import { serveFiles } from "./pages/page.ts";
import { downloadExport } from "./personal-data/download-export.ts";
import type { EraseAccount } from "./personal-data/erase-account.ts";
import { eraseMe } from "./personal-data/erase-me.ts";
import type { ErasureStore } from "./personal-data/erasure-store.ts";
import type { ExportStore } from "./personal-data/export-store.ts";
import { getErasure } from "./personal-data/get-erasure.ts";
import { getExport } from "./personal-data/get-export.ts";
import { requestExport } from "./personal-data/request-export.ts";
import { forgotPasswordPage } from "./reset/forgot-password-page.ts";
import { openResetLink } from "./reset/open-reset-link.ts";
import { type RequestReset, requestResetEndpoint } from "./reset/request-reset.ts";
import { resetPage } from "./reset/reset-page.ts";
import { type ResetPassword, resetPasswordEndpoint } from "./reset/reset-password.ts";
import type { SecondFactor } from "./second-factor/create-second-factor.ts";
import type { RequireSecondFactor } from "./second-factor/require-second-factor.ts";
import { rememberDevice } from "./sessions/device.ts";
import { endSession } from "./sessions/end-session.ts";
import { endSessions } from "./sessions/end-sessions.ts";
import { listSessions } from "./sessions/list-sessions.ts";
import type { SessionStore } from "./sessions/session-store.ts";
import { signOut } from "./sessions/sign-out.ts";
import { listSigningKeys } from "./signing-keys/list-signing-keys.ts";
import { removeSigningKey } from "./signing-keys/remove-signing-key.ts";
import { rotateSigningKeys } from "./signing-keys/rotate-signing-keys.ts";
import type { SigningKeys } from "./signing-keys/signing-keys.ts";
import { signUpTestUser } from "./test-mailboxes/sign-up-test-user.ts";
import { openLink } from "./verification/open-link.ts";
import { requestVerification, type SendAgain } from "./verification/request-verification.ts";
import { verificationStatus } from "./verification/verification-status.ts";
import { verify } from "./verification/verify.ts";
import type { VerifyAddress } from "./verification/verify-address.ts";
import { verifyForm } from "./verification/verify-form.ts";

export type EndpointDependencies = {
  signingKeys: SigningKeys;
  accounts: AccountStore;
  freshAccounts: FreshAccounts;
  administer: Administer;
  clients: ClientAdministration;
  consents: ConsentStore;
  withdrawConsent: WithdrawConsent;
  sessions: SessionStore;
  identityProviders: IdentityProviders;
  outbox: Outbox;
  signUp: SignUp;
  authenticate: Authenticate;
  requireSecondFactor: RequireSecondFactor;
  issueAccessToken: IssueAccessToken;
  verifyAddress: VerifyAddress;
  requestReset: RequestReset;
  resetPassword: ResetPassword;
  changePassword: ChangePassword;
  readAccessToken: ReadAccessToken;
  attempts: Attempts;
  testDomain: string | undefined;
  sendAgain: SendAgain;
  formTokens: FormTokens;
  browserSessions: BrowserSessions;
  eraseAccount: EraseAccount;
  erasures: ErasureStore;
  exports: ExportStore;
};

export type AuthDependencies = EndpointDependencies &
  AccountPageDependencies &
  Pick<AppOptions, "verifyAccessToken" | "logger" | "metrics" | "trustedHops"> & {
    currentProvider: CurrentProvider;
    redis: Redis;
    secondFactor: SecondFactor;
    findSignInStep: FindSignInStep;
    finishSignIn: FinishSignIn;
    askConsent: AskConsent;
    frontendUrl: string;
  };

export const endpoints = (dependencies: EndpointDependencies) => {
  const { accounts, freshAccounts, authenticate, sessions } = dependencies;
  return [
    openSignUp(dependencies.formTokens),
    signUpEndpoint(dependencies.signUp),
    signUpTestUser(dependencies),
    openLink(),
    verify(dependencies.verifyAddress),
    verificationStatus(freshAccounts),
    requestVerification(accounts, dependencies.sendAgain),
    requestResetEndpoint(dependencies.requestReset),
    openResetLink(),
    resetPasswordEndpoint(dependencies.resetPassword),
    changePasswordEndpoint(dependencies.changePassword),
    tokenStatus(dependencies.readAccessToken, freshAccounts),
    signIn(authenticate, dependencies.requireSecondFactor, dependencies.issueAccessToken),
    signOut(sessions),
    listSessions(sessions),
    endSession(sessions),
    endSessions(sessions),
    getBrowserSession(dependencies.browserSessions, sessions, freshAccounts),
    refreshBrowserSession(dependencies.browserSessions),
    endBrowserSession(dependencies.browserSessions, sessions),
    getMe(freshAccounts),
    listUsers(accounts),
    getUser(accounts),
    changeUser(dependencies.administer),
    ...clientEndpoints(dependencies.clients),
    listConsents(dependencies.consents),
    endConsent(dependencies.withdrawConsent),
    eraseMe(dependencies.eraseAccount),
    getErasure(dependencies.erasures),
    requestExport(dependencies.exports, freshAccounts),
    getExport(dependencies.exports),
    downloadExport(dependencies.exports),
    listSigningKeys(dependencies.signingKeys),
    rotateSigningKeys(dependencies.signingKeys),
    removeSigningKey(dependencies.signingKeys),
    listIdentities(dependencies.identityProviders),
    unlinkIdentity(dependencies.identityProviders, sessions),
  ];
};

/** What people open in a browser, and the protocol's own paths. */
const pages = (dependencies: AuthDependencies) => [
  ...rememberDevice,
  signUpPage(dependencies.signUp, dependencies.formTokens),
  verifyForm(dependencies.verifyAddress, dependencies.formTokens, dependencies.frontendUrl),
  forgotPasswordPage(dependencies.requestReset, dependencies.formTokens),
  resetPage(dependencies.resetPassword, dependencies.formTokens, dependencies.frontendUrl),
  interaction(dependencies),
  ...secondStep(dependencies),
  ...identityProviderPages(dependencies),
  ...accountPages(dependencies),
  startPage(dependencies.browserSessions, dependencies.formTokens),
  callbackPage(dependencies),
  ...serveFiles,
  ...guardDevicePage(dependencies.redis),
  limitDeviceCodes(dependencies.attempts),
  ...takePostedRequests,
  ...mountProvider(dependencies.currentProvider),
];

export const about = {
  name: "auth",
  title: "Portico auth",
  description: "Accounts, their verification, and OpenID Connect.",
};

export const createAuth = (dependencies: AuthDependencies) =>
  createApp({
    ...about,
    ...dependencies,
    endpoints: endpoints(dependencies),
    foreign: pages(dependencies),
  });

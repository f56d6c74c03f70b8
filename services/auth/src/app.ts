/** auth: who people are, and what clients may do for them. The list of endpoints is the table of contents. */
import { type AppOptions, createApp } from "@portico/service-kit";
import type { Outbox } from "@portico/service-kit/events";
import type { Redis } from "ioredis";
import type { Provider } from "oidc-provider";
import type { AccountStore } from "./accounts/account-store.ts";
import type { Administer } from "./accounts/administer.ts";
import type { Authenticate } from "./accounts/authenticate.ts";
import { changeUser } from "./accounts/change-user.ts";
import type { FreshAccounts } from "./accounts/fresh-accounts.ts";
import { getMe } from "./accounts/get-me.ts";
import { getUser } from "./accounts/get-user.ts";
import { listUsers } from "./accounts/list-users.ts";
import { signIn } from "./accounts/sign-in.ts";
import { signUp } from "./accounts/sign-up.ts";
import type { MailLimit } from "./attempts/mail-limit.ts";
import type { PlaceLimit } from "./attempts/place-limit.ts";
import { guardDevicePage } from "./device/guard-device-page.ts";
import type { IdentityProviders } from "./identity-providers/create-identity-providers.ts";
import { identityProviderPages } from "./identity-providers/pages.ts";
import type { FinishSignIn } from "./oidc/finish-sign-in.ts";
import { interaction } from "./oidc/interaction.ts";
import type { IssueAccessToken } from "./oidc/issue-access-token.ts";
import { mountProvider } from "./oidc/mount.ts";
import { secondStep } from "./oidc/second-step.ts";
import type { FindSignInStep } from "./oidc/sign-in-step.ts";
import type { FormTokens } from "./pages/form-token.ts";
import { serveFiles } from "./pages/page.ts";
import type { EraseAccount } from "./personal-data/erase-account.ts";
import { eraseMe } from "./personal-data/erase-me.ts";
import type { ErasureStore } from "./personal-data/erasure-store.ts";
import { getErasure } from "./personal-data/get-erasure.ts";
import type { SecondFactor } from "./second-factor/create-second-factor.ts";
import type { RequireSecondFactor } from "./second-factor/require-second-factor.ts";
import { rememberDevice } from "./sessions/device.ts";
import { endSession } from "./sessions/end-session.ts";
import { endSessions } from "./sessions/end-sessions.ts";
import { listSessions } from "./sessions/list-sessions.ts";
import type { SessionStore } from "./sessions/session-store.ts";
import { signOut } from "./sessions/sign-out.ts";
import { openLink } from "./verification/open-link.ts";
import { requestVerification } from "./verification/request-verification.ts";
import { verificationStatus } from "./verification/verification-status.ts";
import { verify } from "./verification/verify.ts";
import type { VerifyAddress } from "./verification/verify-address.ts";
import { verifyForm } from "./verification/verify-form.ts";

export type EndpointDependencies = {
  accounts: AccountStore;
  freshAccounts: FreshAccounts;
  administer: Administer;
  sessions: SessionStore;
  outbox: Outbox;
  authenticate: Authenticate;
  requireSecondFactor: RequireSecondFactor;
  issueAccessToken: IssueAccessToken;
  verifyAddress: VerifyAddress;
  signUps: PlaceLimit;
  mails: MailLimit;
  formTokens: FormTokens;
  eraseAccount: EraseAccount;
  erasures: ErasureStore;
};

export type AuthDependencies = EndpointDependencies &
  Pick<AppOptions, "verifyAccessToken" | "logger" | "metrics" | "trustedHops"> & {
    provider: Provider;
    redis: Redis;
    secondFactor: SecondFactor;
    identityProviders: IdentityProviders;
    findSignInStep: FindSignInStep;
    finishSignIn: FinishSignIn;
    frontendUrl: string;
  };

export const endpoints = (dependencies: EndpointDependencies) => {
  const { accounts, freshAccounts, outbox, authenticate, sessions } = dependencies;
  return [
    signUp(dependencies),
    openLink(dependencies.formTokens),
    verify(dependencies.verifyAddress),
    verificationStatus(freshAccounts),
    requestVerification(accounts, outbox, dependencies.mails),
    signIn(authenticate, dependencies.requireSecondFactor, dependencies.issueAccessToken),
    signOut(sessions),
    listSessions(sessions),
    endSession(sessions),
    endSessions(sessions),
    getMe(freshAccounts),
    listUsers(accounts),
    getUser(accounts),
    changeUser(dependencies.administer),
    eraseMe(dependencies.eraseAccount),
    getErasure(dependencies.erasures),
  ];
};

/** What people open in a browser, and the protocol's own paths. */
const pages = (dependencies: AuthDependencies) => [
  ...rememberDevice,
  verifyForm(dependencies.verifyAddress, dependencies.formTokens, dependencies.frontendUrl),
  interaction(dependencies),
  ...secondStep(dependencies),
  ...identityProviderPages(dependencies),
  ...serveFiles,
  guardDevicePage(dependencies.redis),
  ...mountProvider(dependencies.provider),
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

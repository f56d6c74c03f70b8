/**
 * The protocol: OpenID Connect and OAuth 2, by the certified library `oidc-provider`. This folder only
 * tells the library who we are: which accounts, clients, keys and lifetimes there are, where its state
 * is kept, and how its pages look. It owns no rule about accounts.
 */
import type { EventEmitter } from "node:events";
import { type Logger, proofAlgorithms } from "@portico/service-kit";
import type { Outbox } from "@portico/service-kit/events";
import {
  type AdapterFactory,
  type Client,
  type ClientMetadata,
  type Configuration,
  Provider,
} from "oidc-provider";
import { accountClient } from "../account-page/account-client.ts";
import type { FreshAccounts } from "../accounts/fresh-accounts.ts";
import { ownClientId } from "../browser-sessions/own-client.ts";
import { firstParty, hasSecret, ownMetadata } from "../clients/client.ts";
import { isOnLaptop } from "../clients/redirect-uri.ts";
import { askForCode, confirmCode, deviceConnected } from "../device/device-pages.ts";
import { noteSignOuts } from "../logout/announce-sign-out.ts";
import { outgoingFetch } from "../logout/outgoing-fetch.ts";
import { logReuse } from "../refresh-tokens/log-reuse.ts";
import {
  familyLifetimeS,
  lifetimeS,
  type RefreshTokenFormat,
} from "../refresh-tokens/refresh-token.ts";
import { nameSuccessors } from "../refresh-tokens/refresh-token-adapter.ts";
import type { Revoke } from "../revocation/revoke.ts";
import { everyScope } from "../roles/role.ts";
import type { SecondFactor } from "../second-factor/create-second-factor.ts";
import { levels } from "../second-factor/second-factor.ts";
import type { SigningKey } from "../signing-keys/signing-key.ts";
import {
  accessTokenClaims,
  accountBehind,
  authenticationClaims,
  claimsByScope,
  toOidcAccount,
} from "./account-claims.ts";
import { judgeJwts } from "./jwt-access-tokens.ts";
import { findByReading, nameUserinfo } from "./one-access-token.ts";
import { OwnSigningKey } from "./own-signing-key.ts";
import { renderError, renderSignedOut, renderSignOut } from "./provider-pages.ts";
import type { ReadAccessToken } from "./read-access-token.ts";
import { accessTokenLifetimeS, resourceServerOf } from "./resource-server.ts";
import { cookieNames, sessionCookieOptions } from "./session-cookie.ts";
import { mayRefresh, signInPolicy } from "./sign-in-policy.ts";

export type ProviderDependencies = {
  issuer: string;
  audience: string;
  /** The first one signs, all of them are published. */
  signingKeys: readonly SigningKey[];
  cookieKeys: readonly string[];
  /** The first one makes DPoP nonces. One that a change made void is asked for again (RFC 9449 section 8). */
  nonceSecrets: readonly Buffer[];
  accounts: FreshAccounts;
  adapters: AdapterFactory;
  refreshTokens: RefreshTokenFormat;
  readAccessToken: ReadAccessToken;
  revoke: Revoke;
  secondFactor: Pick<SecondFactor, "factors" | "rolesThatNeedIt">;
  /** auth's own, for browser sessions. */
  ownClient: ClientMetadata;
  outbox: Pick<Outbox, "transaction">;
  logger: Logger;
};

export function createProvider(dependencies: ProviderDependencies): Provider {
  const { issuer, logger } = dependencies;
  const provider = new Provider(issuer, configuration(dependencies));
  // Behind the gateway: mount.ts sets what the library reads of it, so that no client can.
  provider.proxy = true;
  findByReading(provider, dependencies.readAccessToken);
  judgeJwts(provider, dependencies.readAccessToken, dependencies.revoke);
  nameSuccessors(provider, dependencies.refreshTokens);
  logReuse(provider, logger);
  noteSignOuts(provider, dependencies.outbox);
  Object.defineProperty(provider.Client.prototype, "compareClientSecret", {
    value(this: Client, secret: string) {
      return hasSecret(this, secret);
    },
  });
  provider.on("server_error", (_ctx, error) => logger.error("protocol.failed", { error }));
  const koa: EventEmitter = provider;
  koa.on("error", (error) => logger.error("protocol.failed", { error }));
  return provider;
}

const minuteS = 60;
const dayS = 86_400;

/** RFC 9700 wants short codes and tokens, and refresh tokens that end when they are not used. */
const lifetimes = {
  AccessToken: accessTokenLifetimeS,
  ClientCredentials: accessTokenLifetimeS,
  AuthorizationCode: minuteS,
  IdToken: 10 * minuteS,
  DeviceCode: 10 * minuteS,
  Interaction: 15 * minuteS,
  RefreshToken: (_ctx, { iiat }) => lifetimeS(iiat),
  Session: 14 * dayS,
  Grant: familyLifetimeS,
} satisfies Configuration["ttl"];

const algorithms = {
  idTokenSigningAlgValues: ["ES256"],
  userinfoSigningAlgValues: ["ES256"],
  introspectionSigningAlgValues: ["ES256"],
  clientAuthSigningAlgValues: ["ES256", "PS256", "Ed25519"],
  dPoPSigningAlgValues: [...proofAlgorithms],
} satisfies Configuration["enabledJWA"];

const configuration = (dependencies: ProviderDependencies): Configuration => ({
  adapter: dependencies.adapters,
  jwks: { keys: dependencies.signingKeys.map((key) => new OwnSigningKey(key)) },
  enabledJWA: algorithms,
  fetch: outgoingFetch(isOnLaptop(dependencies.issuer)),
  clients: [firstParty, dependencies.ownClient, accountClient(dependencies.issuer)],
  extraClientMetadata: { properties: [...ownMetadata] },
  clientDefaults: {
    id_token_signed_response_alg: "ES256",
    grant_types: ["authorization_code"],
    response_types: ["code"],
    token_endpoint_auth_method: "client_secret_basic",
  },
  clientAuthMethods: ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"],
  clientBasedCORS: (_ctx, origin, client) =>
    // A native client's own scheme has the origin "null", as every sandboxed frame has.
    origin !== "null" &&
    (client.redirectUris?.some((uri) => URL.parse(uri)?.origin === origin) ?? false),

  // `none`, for the account page, gives out nothing: see account-client.ts.
  responseTypes: ["code", "none"],
  scopes: [...everyScope],
  claims: claimsByScope,
  pkce: { required: () => true },
  rotateRefreshToken: true,
  // A browser app is signed in for as long as its person is here, and needs no offline access for that.
  issueRefreshToken: (_ctx, client, source) =>
    client.grantTypeAllowed("refresh_token") &&
    (source.scopes.has("offline_access") || client.clientId === ownClientId),
  // Whatever ends a grant's tokens ends the grant: its access tokens are refused by its name.
  revokeGrantPolicy: () => true,
  ttl: lifetimes,

  async findAccount(_ctx, id, token) {
    const account = await dependencies.accounts.find(id);
    if (account?.status !== "active") return undefined;
    return mayRefresh(account, token, dependencies.secondFactor)
      ? toOidcAccount(account)
      : undefined;
  },
  async extraTokenClaims(ctx, token) {
    if (!("accountId" in token)) return undefined;
    const account =
      accountBehind(ctx, token) ?? (await dependencies.accounts.find(token.accountId));
    return account && { ...authenticationClaims(ctx, token), ...accessTokenClaims(account) };
  },
  formats: { customizers: { jwt: nameUserinfo(dependencies.issuer) } },

  cookies: {
    keys: [...dependencies.cookieKeys],
    names: cookieNames(dependencies.issuer),
    long: sessionCookieOptions(dependencies.issuer),
    short: { httpOnly: true, sameSite: "lax", signed: true },
  },
  acrValues: [...levels],
  interactions: {
    policy: signInPolicy(dependencies.secondFactor),
    url: (_ctx, { uid }) => `/auth/interaction/${uid}`,
  },
  renderError,
  routes: {
    authorization: "/authorize",
    token: "/token",
    jwks: "/jwks",
    userinfo: "/userinfo",
    introspection: "/token/introspection",
    revocation: "/token/revocation",
    pushed_authorization_request: "/par",
    device_authorization: "/device-authorization",
    code_verification: "/device",
    end_session: "/session/end",
  },
  features: {
    devInteractions: { enabled: false },
    externalSigningSupport: { enabled: true, ack: "experimental-01" },
    clientCredentials: { enabled: true },
    introspection: {
      enabled: true,
      // RFC 7662 section 4: a client learns about its own tokens only.
      allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
    },
    revocation: {
      enabled: true,
      allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
    },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: { logoutSource: renderSignOut, postLogoutSuccessSource: renderSignedOut },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => dependencies.audience,
      useGrantedResource: () => true,
      getResourceServerInfo: resourceServerOf(dependencies.audience),
    },
    deviceFlow: {
      enabled: true,
      // Nothing that a device says of itself would prove to its owner that it is theirs.
      deviceInfo: () => ({}),
      userCodeInputSource: askForCode,
      userCodeConfirmSource: confirmCode,
      successSource: deviceConnected,
    },
    pushedAuthorizationRequests: { enabled: true },
    dPoP: {
      enabled: true,
      nonceSecret: dependencies.nonceSecrets[0],
      // A proof made in advance is worth nothing where tokens are given out (RFC 9449 section 11.2).
      requireNonce: (ctx) => ctx.oidc.route === "token",
    },
  },
});

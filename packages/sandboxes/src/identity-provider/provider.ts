/**
 * The protocol, by the library `oidc-provider` whole: told here who its people and clients are, and to
 * look like Google where applications can tell. Loaded when the first request needs it.
 */
import {
  type AdapterFactory,
  type Configuration,
  interactionPolicy,
  type KoaContextWithOIDC,
  Provider,
} from "oidc-provider";
import type { Log } from "../log.ts";
import { falsify } from "./falsify.ts";
import type { IdentityProviderFaults } from "./faults.ts";
import { claimsOf, type People } from "./people.ts";
import { type SigningKey, toJwks } from "./signing-keys.ts";

export type Client = { clientId: string; clientSecret: string; redirectUris: readonly string[] };

export type ProviderParts = {
  issuer: string;
  clients: readonly Client[];
  people: People;
  adapters: AdapterFactory;
  key: SigningKey;
  cookieKey: string;
  faults: IdentityProviderFaults;
  log: Log;
};

export function createProvider(parts: ProviderParts): Provider {
  const provider = new Provider(parts.issuer, configuration(parts));
  provider.use(falsify(parts.faults, parts.key));
  provider.on("server_error", (_ctx, error) => {
    parts.log("request.failed", { reason: error.message });
  });
  return provider;
}

/** `prompt=select_account`, which Google has: asks who it is although somebody is signed in. */
function withAccountSelection(): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base();
  policy.add(new interactionPolicy.Prompt({ name: "select_account", requestable: true }), 0);
  return policy;
}

/** Cookies do not tell ports apart: on a laptop this provider and the application share a host. */
const cookieNames = {
  interaction: "sandbox-id.interaction",
  resume: "sandbox-id.resume",
  session: "sandbox-id.session",
};

const configuration = (parts: ProviderParts): Configuration => ({
  adapter: parts.adapters,
  jwks: toJwks(parts.key),
  clients: parts.clients.map(({ clientId, clientSecret, redirectUris }) => ({
    client_id: clientId,
    client_secret: clientSecret,
    redirect_uris: [...redirectUris],
    grant_types: ["authorization_code"],
    response_types: ["code"],
    token_endpoint_auth_method: "client_secret_post",
  })),
  clientAuthMethods: ["client_secret_post", "client_secret_basic"],
  enabledJWA: { idTokenSigningAlgValues: ["RS256"] },
  responseTypes: ["code"],
  scopes: ["openid", "email", "profile"],
  claims: {
    openid: ["sub"],
    email: ["email", "email_verified", "hd"],
    profile: ["name", "given_name", "family_name", "picture"],
  },
  // Google puts into the ID token what the scopes ask for.
  conformIdTokenClaims: false,
  pkce: { required: () => false },
  cookies: { names: cookieNames, keys: [parts.cookieKey] },
  ttl: {
    AccessToken: 3600,
    AuthorizationCode: 60,
    Grant: 86_400,
    IdToken: 3600,
    Interaction: 3600,
    Session: 86_400,
  },

  findAccount(_ctx, sub) {
    const person = parts.people.find(sub);
    return person && { accountId: sub, claims: () => claimsOf(person, parts.issuer) };
  },
  interactions: { policy: withAccountSelection(), url: (_ctx, { uid }) => `/sign-in/${uid}` },
  loadExistingGrant: grantWhatIsAsked,
  renderError(ctx, { error, error_description }) {
    ctx.type = "text/plain";
    ctx.body = `${error}: ${error_description ?? ""}\n`;
  },
  routes: {
    authorization: "/o/oauth2/v2/auth",
    token: "/token",
    jwks: "/oauth2/v3/certs",
    userinfo: "/v1/userinfo",
  },
  features: {
    devInteractions: { enabled: false },
    rpInitiatedLogout: { enabled: false },
  },
});

/** Whoever picks a person has agreed: there is no second page. */
async function grantWhatIsAsked({ oidc }: KoaContextWithOIDC) {
  const { provider, client, session, requestParamOIDCScopes } = oidc;
  const grant = new provider.Grant({
    clientId: client?.clientId,
    accountId: session?.accountId,
  });
  grant.addOIDCScope([...requestParamOIDCScopes].join(" "));
  await grant.save();
  return grant;
}

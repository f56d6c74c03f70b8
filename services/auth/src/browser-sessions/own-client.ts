/**
 * auth as a client of itself: the same protocol, checks and token endpoint as for anybody else's program.
 * The only file here that knows `openid-client`, which is loaded when the first person needs it.
 */
import { createHash } from "node:crypto";
import { unavailable } from "@portico/service-kit";
import type * as openid from "openid-client";
import { hashSecret } from "../clients/client.ts";
import { everyScope } from "../roles/role.ts";
import { callbackPath, type Tokens } from "./browser-session.ts";
import type { PendingSignIn } from "./pending-sign-in.ts";

export const ownClientId = "portico-browser";

/** The browser session ends with the person's session at auth: nothing of it is for when they are away. */
const scope = everyScope.filter((one) => one !== "offline_access").join(" ");

type Endpoints = {
  issuer: string;
  publicOrigin: string;
  /** Where this service's own API is reached without the gateway. */
  internalOrigin: string;
};

/** For the protocol library. @param secret of this client, known to auth alone */
export const ownClient = (publicOrigin: string, secret: string) => ({
  client_id: ownClientId,
  client_name: "Portico",
  client_secret: hashSecret(secret),
  token_endpoint_auth_method: "client_secret_basic" as const,
  application_type: "web" as const,
  grant_types: ["authorization_code", "refresh_token"],
  response_types: ["code" as const],
  redirect_uris: [`${publicOrigin}${callbackPath}`],
  scope,
});

/** Of an authorization request (OpenID Connect Core section 3.1.2.1): for a step-up (RFC 9470). */
export type Demands = { max_age?: string; acr_values?: string };

export type OwnClient = {
  authorizationUrl(pending: PendingSignIn, demands: Demands): URL;
  /** Undefined when the person said no. Throws Refused, or `unavailable` (503). */
  exchange(answer: URLSearchParams, pending: PendingSignIn): Promise<Tokens | undefined>;
  /** Undefined when the session has ended. Throws `unavailable` (503). */
  renew(refreshToken: string): Promise<Tokens | undefined>;
};

/** The answer at the callback is not one that we believe; `reason` is one of the library's codes, or OAuth's. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly reason: string;

  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }
}

const timeoutS = 5;

export function createOwnClient(
  { issuer, publicOrigin, internalOrigin }: Endpoints,
  secret: string,
  now: () => number = Date.now,
): OwnClient {
  const configure = (library: typeof openid): openid.Configuration => {
    const configuration = new library.Configuration(
      {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${internalOrigin}/auth/token`,
        jwks_uri: `${internalOrigin}/auth/jwks`,
        authorization_response_iss_parameter_supported: true,
      },
      ownClientId,
      { id_token_signed_response_alg: "ES256" },
      library.ClientSecretBasic(secret),
    );
    configuration.timeout = timeoutS;
    library.allowInsecureRequests(configuration);
    return configuration;
  };

  const toTokens = (answer: openid.TokenEndpointResponse): Tokens => ({
    accessToken: answer.access_token,
    accessTokenExpiresAt: new Date(now() + (answer.expires_in ?? 0) * 1000),
    refreshToken: String(answer.refresh_token),
  });

  return {
    authorizationUrl({ state, nonce, codeVerifier }, demands) {
      const url = new URL(`${issuer}/authorize`);
      url.search = new URLSearchParams({
        client_id: ownClientId,
        redirect_uri: `${publicOrigin}${callbackPath}`,
        response_type: "code",
        scope,
        state,
        nonce,
        code_challenge: createHash("sha256").update(codeVerifier).digest("base64url"),
        code_challenge_method: "S256",
        ...demands,
      }).toString();
      return url;
    },

    async exchange(answer, { state, nonce, codeVerifier }) {
      const library = await import("openid-client");
      const answeredAt = new URL(`${publicOrigin}${callbackPath}`);
      answeredAt.search = answer.toString();
      try {
        const checks = {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: codeVerifier,
          idTokenExpected: true,
        };
        const configuration = configure(library);
        return toTokens(await library.authorizationCodeGrant(configuration, answeredAt, checks));
      } catch (error) {
        if (reasonOf(error, library) === "access_denied") return undefined;
        return refuse(error, library);
      }
    },

    async renew(refreshToken) {
      const library = await import("openid-client");
      try {
        return toTokens(await library.refreshTokenGrant(configure(library), refreshToken));
      } catch (error) {
        if (reasonOf(error, library) === "invalid_grant") return undefined;
        throw notNow(error);
      }
    },
  };
}

/** OAuth's error, as the authorization endpoint or the token endpoint gave it. */
const reasonOf = (error: unknown, library: typeof openid): string | undefined =>
  error instanceof library.AuthorizationResponseError || error instanceof library.ResponseBodyError
    ? error.error
    : undefined;

const notNow = (cause: unknown) =>
  unavailable(undefined, { cause, headers: { "Retry-After": "1" } });

/** Codes of the library for an answer that was changed or is not for this sign-in. */
const disbelieved = /^OAUTH_(INVALID_RESPONSE|JWT_|RESPONSE_IS_NOT)/;

function refuse(error: unknown, library: typeof openid): never {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const reason = reasonOf(error, library) ?? (disbelieved.test(code) ? code : undefined);
  throw reason ? new Refused(reason) : notNow(error);
}

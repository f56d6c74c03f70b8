/**
 * We as the relying party of an identity provider: the only file that knows `openid-client`, which is
 * loaded when the first person needs it. Every request to a provider has a deadline and a bound; nothing
 * is tried twice, since the person can. Nothing that a provider sends is logged.
 */
import type { Secret } from "@portico/service-kit";
import type * as openid from "openid-client";
import { z } from "zod";
import { EmailAddress, Name } from "../accounts/account.ts";
import { boundedFetch } from "./bounded-fetch.ts";
import type { IdentityProvider, ProvidedIdentity } from "./identity-provider.ts";

/** What binds an answer to the request, and the request to the browser. */
export type Proofs = { state: string; nonce: string; codeVerifier: string };

export type RelyingParty = {
  provider: IdentityProvider;
  /** Where to send the browser. @throws ProviderFailure */
  authorizationUrl(proofs: Proofs, options?: { reauthenticate?: boolean }): Promise<URL>;
  /**
   * What the provider answered at our redirect URI -> who the person is there.
   * @param authenticatedAfter no older proof of the person will do, where the provider tells its age
   * @throws ProviderFailure
   */
  identify(
    answer: URLSearchParams,
    proofs: Proofs,
    authenticatedAfter?: Date,
  ): Promise<ProvidedIdentity>;
};

/** `declined`: the person or the provider said no; `refused`: we do not believe the answer. */
export type FailureKind = "unavailable" | "declined" | "refused";

/** Says nothing of what was answered: `reason` is one of the library's codes, or OAuth's. */
export class ProviderFailure extends Error {
  override readonly name = "ProviderFailure";
  readonly kind: FailureKind;
  readonly reason: string;

  constructor(kind: FailureKind, reason: string) {
    super(`${kind}: ${reason}`);
    this.kind = kind;
    this.reason = reason;
  }
}

export type RelyingPartyOptions = {
  redirectUri: string;
  /** For each request to the provider. */
  timeoutMs?: number;
  now?: () => number;
};

const discoveredForMs = 10 * 60_000;
const clockToleranceS = 30;

export function createRelyingParty(
  provider: IdentityProvider,
  { redirectUri, timeoutMs = 5_000, now = Date.now }: RelyingPartyOptions,
): RelyingParty {
  let discovered: { metadata: Promise<openid.ServerMetadata>; expiresAtMs: number } | undefined;

  const discover = async (library: typeof openid): Promise<openid.ServerMetadata> => {
    const configuration = await library.discovery(
      new URL(provider.issuer),
      provider.clientId,
      undefined,
      undefined,
      {
        timeout: timeoutMs / 1000,
        execute: extensionsFor(provider, library),
        [library.customFetch]: boundedFetch,
      },
    );
    return configuration.serverMetadata();
  };

  /** Asked for once by all who need it; what failed is not remembered. */
  const metadataBy = (library: typeof openid): Promise<openid.ServerMetadata> => {
    if (!discovered || discovered.expiresAtMs <= now()) {
      const metadata = discover(library);
      discovered = { metadata, expiresAtMs: now() + discoveredForMs };
      metadata.catch(() => {
        discovered = undefined;
      });
    }
    return discovered.metadata;
  };

  /**
   * The library keeps a provider's keys for as long as its configuration: one for each sign-in, so that a
   * key is trusted as soon as the provider publishes it, and no longer.
   */
  const configure = async (library: typeof openid): Promise<openid.Configuration> => {
    const metadata = await metadataBy(library);
    const configuration = new library.Configuration(
      metadata,
      provider.clientId,
      {
        id_token_signed_response_alg: provider.idTokenSigningAlg,
        [library.clockTolerance]: clockToleranceS,
      },
      authenticate(provider.clientSecret, metadata, library),
    );
    configuration.timeout = timeoutMs / 1000;
    configuration[library.customFetch] = boundedFetch;
    for (const extend of extensionsFor(provider, library)) extend(configuration);
    // The ID token's own signature too, beside the TLS of the token endpoint.
    library.enableNonRepudiationChecks(configuration);
    return configuration;
  };

  return {
    provider,

    authorizationUrl: ({ state, nonce, codeVerifier }, { reauthenticate = false } = {}) =>
      translating(async () => {
        const library = await import("openid-client");
        return library.buildAuthorizationUrl(await configure(library), {
          ...provider.parameters,
          redirect_uri: redirectUri,
          scope: provider.scopes.join(" "),
          state,
          nonce,
          code_challenge: await library.calculatePKCECodeChallenge(codeVerifier),
          code_challenge_method: "S256",
          ...(reauthenticate && { max_age: "0" }),
        });
      }),

    identify: (answer, { state, nonce, codeVerifier }, authenticatedAfter) =>
      translating(async () => {
        const library = await import("openid-client");
        const answeredAt = new URL(redirectUri);
        answeredAt.search = answer.toString();
        const tokens = await library.authorizationCodeGrant(await configure(library), answeredAt, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: codeVerifier,
          idTokenExpected: true,
        });
        const claims = Claims.parse(tokens.claims());
        requireFresh(claims, authenticatedAfter);
        return toIdentity(claims);
      }),
  };
}

const extensionsFor = ({ issuer }: IdentityProvider, library: typeof openid) =>
  new URL(issuer).protocol === "http:" ? [library.allowInsecureRequests] : [];

/** OpenID Connect Discovery section 3: without a list, it is Basic. */
const authenticate = (
  clientSecret: Secret,
  { token_endpoint_auth_methods_supported: methods = [] }: openid.ServerMetadata,
  { ClientSecretBasic, ClientSecretPost }: typeof openid,
): openid.ClientAuth =>
  methods.includes("client_secret_post")
    ? ClientSecretPost(clientSecret.reveal())
    : ClientSecretBasic(clientSecret.reveal());

/** OpenID Connect Core sections 2 and 5.1. What is not of its type counts as absent. */
const Claims = z.object({
  iss: z.string(),
  sub: z.string().min(1).max(255),
  email: z.unknown(),
  email_verified: z.unknown(),
  name: z.unknown(),
  auth_time: z.number().optional(),
});

/** Only `true` says that an address is verified: what is absent, or the text "true", does not. */
const toIdentity = (claims: z.output<typeof Claims>): ProvidedIdentity => ({
  issuer: claims.iss,
  subject: claims.sub,
  email: EmailAddress.safeParse(claims.email).data,
  emailVerified: claims.email_verified === true,
  name: Name.safeParse(claims.name).data,
});

/** `auth_time` answers `max_age`; a provider that does not know the one does not send the other. */
function requireFresh({ auth_time }: z.output<typeof Claims>, authenticatedAfter?: Date): void {
  if (!authenticatedAfter || auth_time === undefined) return;
  const isStale = auth_time + clockToleranceS < authenticatedAfter.getTime() / 1000;
  if (isStale) throw new ProviderFailure("refused", "stale_authentication");
}

/** OAuth's own errors that are about the person; what remains is between the provider and us. */
const declining = ["access_denied", "login_required", "consent_required", "interaction_required"];

/** Codes of the library that mean that the provider could not answer, or not in the protocol. */
const unavailable = [
  ...["OAUTH_TIMEOUT", "OAUTH_ABORT", "OAUTH_RESPONSE_IS_NOT_CONFORM"],
  ...["OAUTH_RESPONSE_IS_NOT_JSON", "OAUTH_PARSE_ERROR"],
];

async function translating<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toFailure(error);
  }
}

function toFailure(error: unknown): ProviderFailure {
  if (error instanceof ProviderFailure) return error;
  if (error instanceof z.ZodError) return new ProviderFailure("refused", "unusable_claims");
  const { code, error: oauthError, status } = error as Record<string, unknown>;
  if (typeof oauthError === "string") return fromOauth(oauthError, Number(status ?? 0));
  const reason = typeof code === "string" ? code : nameOf(error);
  // Without a code of the protocol the connection broke: fetch says so with a TypeError.
  const isUnavailable = !reason.startsWith("OAUTH_") || unavailable.includes(reason);
  return new ProviderFailure(isUnavailable ? "unavailable" : "refused", reason);
}

function fromOauth(error: string, status: number): ProviderFailure {
  const reason = /^[\w-]{1,60}$/.test(error) ? error : "unreadable_error";
  if (declining.includes(reason)) return new ProviderFailure("declined", reason);
  const isDown = status >= 500 || reason === "server_error" || reason === "temporarily_unavailable";
  return new ProviderFailure(isDown ? "unavailable" : "refused", reason);
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : "unknown");

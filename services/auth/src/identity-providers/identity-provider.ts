/**
 * Identity providers: others who can say who a person is, Google or any OpenID Connect provider. This
 * folder owns which ones there are, the way there and back, and which of their identities opens which
 * account. What a sign-in needs beside that is `oidc/`'s; when identities are linked, and when never,
 * stands in docs/decisions/0010.
 */
import { Secret } from "@portico/service-kit";
import { z } from "zod";

/** RFC 6749 and OpenID Connect Core section 3.1.2.1: what nobody but us may put into the request. */
const ownParameters = [
  ...["client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce"],
  ...["code_challenge", "code_challenge_method", "request", "request_uri", "max_age"],
];

const isLoopback = ({ hostname }: URL): boolean =>
  hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "127.0.0.1";

/** Without TLS only on this machine: keys and addresses of the provider are what it says here. */
const Issuer = z.url({ protocol: /^https?$/ }).refine(
  (issuer) => {
    const url = new URL(issuer);
    return url.protocol === "https:" || isLoopback(url);
  },
  { error: "must be https" },
);

const IdentityProviderSettings = z.strictObject({
  id: z.string().regex(/^[a-z\d][a-z\d-]{0,31}$/, "must be lower-case letters, digits and hyphens"),
  /** On the button: "Continue with …". */
  name: z.string().trim().min(1).max(50),
  issuer: Issuer,
  clientId: z.string().min(1),
  clientSecret: z
    .string()
    .min(1)
    .transform((value) => new Secret(value)),
  scopes: z.array(z.string()).default(["openid", "email", "profile"]),
  /** OpenID Connect Registration: RS256 is what providers sign with unless told otherwise. */
  idTokenSigningAlg: z.enum(["RS256", "PS256", "ES256", "EdDSA"]).default("RS256"),
  /** More of the authorization request: `{ "prompt": "select_account" }`, Google's `hd`. */
  parameters: z
    .record(z.string(), z.string())
    .default({})
    .refine((given) => !ownParameters.some((name) => name in given), {
      error: `must not set ${ownParameters.join(", ")}`,
    }),
});

/** One of them, as the configuration names it. */
export type IdentityProvider = z.output<typeof IdentityProviderSettings>;

const hasNoDuplicates = (providers: readonly IdentityProvider[]): boolean =>
  new Set(providers.map(({ id }) => id)).size === providers.length;

const List = z
  .array(IdentityProviderSettings)
  .max(20)
  .refine(hasNoDuplicates, { error: "names an id twice" });

/** The parser's own message quotes what it read, which holds secrets. */
const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Every mistake by the place where it stands, and no value. */
function readList(text: string, context: z.core.$RefinementCtx): IdentityProvider[] {
  const json = parseJson(text);
  const parsed = List.safeParse(json);
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`);
  const message = json === undefined ? "must be a JSON list" : mistakes.join("; ").trim();
  context.addIssue({ code: "custom", message });
  return z.NEVER;
}

/** The variable `IDENTITY_PROVIDERS`. */
export const identityProviders = z.string().transform(readList).optional().meta({
  description:
    "Who else people may sign in with: JSON list of `id`, `name`, `issuer`, `clientId`, `clientSecret`, and `scopes`, `idTokenSigningAlg`, `parameters` where the defaults will not do",
  secret: true,
});

/**
 * One for each provider, so that an answer of one cannot pass for another's (RFC 9700 section 4.4.2.2,
 * mix-up).
 */
export const redirectUriOf = (issuer: string, { id }: Pick<IdentityProvider, "id">): string =>
  `${issuer}/identity-providers/${id}/callback`;

/** What a provider said of a person, all of it checked. */
export type ProvidedIdentity = {
  issuer: string;
  /** Never reassigned by the issuer: with it, who the person is there. Addresses change. */
  subject: string;
  /** As accounts have them; undefined when there is none, or none that an account may have. */
  email: string | undefined;
  /** The provider says that it proved the address. */
  emailVerified: boolean;
  name: string | undefined;
};

/** What a page that offers them needs to know. */
export type OfferedProvider = Pick<IdentityProvider, "id" | "name">;

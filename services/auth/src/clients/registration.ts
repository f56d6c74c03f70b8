/** What an administrator says about a client, and what of it does not go together. */
import { type FieldError, invalidRequest } from "@portico/service-kit";
import { z } from "zod";
import { everyScope, identityScopes } from "../roles/role.ts";
import { mistakeInRedirectUri, mistakeInWebUri } from "./redirect-uri.ts";

export const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

const Uri = z.string().min(1).max(2_000);
const Uris = z.array(Uri).max(50);

const Scope = z
  .string()
  .max(2_000)
  .regex(/^(?:[\w:.-]+(?: [\w:.-]+)*)?$/, "Scopes, each after a space.");

const aboutKey = {
  kid: z.string().max(200).optional(),
  alg: z.enum(["ES256", "PS256", "Ed25519"]).optional(),
  use: z.literal("sig").optional(),
};
const x = z.string().min(1).max(200);

/** Public keys only: a private one that somebody pastes here must not be kept. */
const PublicKeys = z.strictObject({
  keys: z
    .array(
      z.discriminatedUnion("kty", [
        z.strictObject({ ...aboutKey, kty: z.literal("EC"), crv: z.literal("P-256"), x, y: x }),
        z.strictObject({ ...aboutKey, kty: z.literal("OKP"), crv: z.literal("Ed25519"), x }),
        // A modulus of 2048 bits or more.
        z.strictObject({ ...aboutKey, kty: z.literal("RSA"), n: z.string().min(342), e: x }),
      ]),
    )
    .min(1)
    .max(10),
});

const fields = {
  client_name: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .refine((name) => !/\p{Cc}/u.test(name), { error: "Must not contain control characters." })
    .meta({ description: "What people are told about who asks" }),
  redirect_uris: Uris.meta({ description: "Exact; https, or as RFC 8252 has it for `native`" }),
  post_logout_redirect_uris: Uris.meta({
    description: "Where a person may be sent after sign-out",
  }),
  grant_types: z
    .array(z.enum(["authorization_code", "refresh_token", "client_credentials", deviceGrant]))
    .min(1)
    .max(4),
  scope: Scope.meta({ description: "All that it may ever ask for" }),
  jwks: PublicKeys.optional().meta({ description: "For `private_key_jwt`: public keys" }),
  jwks_uri: Uri.optional().meta({ description: "For `private_key_jwt`: where its keys are read" }),
  backchannel_logout_uri: Uri.optional().meta({
    description: "Told when a person signs out (OpenID Connect Back-Channel Logout 1.0)",
  }),
  backchannel_logout_session_required: z.boolean(),
  require_pushed_authorization_requests: z.boolean().meta({ description: "RFC 9126" }),
  dpop_bound_access_tokens: z.boolean().meta({ description: "RFC 9449: no token without a proof" }),
  third_party: z.boolean().meta({ description: "Not the platform's own: people are asked first" }),
  resource_server: z.boolean().meta({ description: "May introspect every access token" }),
};

/** How it proves who it is does not change: that is another client. */
const forGood = {
  application_type: z.enum(["web", "native"]),
  token_endpoint_auth_method: z.enum([
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
    "none",
  ]),
};

export const Registration = z
  .strictObject({
    ...fields,
    application_type: forGood.application_type.default("web"),
    token_endpoint_auth_method: forGood.token_endpoint_auth_method.default("client_secret_basic"),
    redirect_uris: fields.redirect_uris.default([]),
    post_logout_redirect_uris: fields.post_logout_redirect_uris.default([]),
    grant_types: fields.grant_types.default(["authorization_code"]),
    scope: fields.scope.default(""),
    backchannel_logout_session_required: fields.backchannel_logout_session_required.default(false),
    require_pushed_authorization_requests:
      fields.require_pushed_authorization_requests.default(false),
    dpop_bound_access_tokens: fields.dpop_bound_access_tokens.default(false),
    third_party: fields.third_party.default(false),
    resource_server: fields.resource_server.default(false),
  })
  .meta({ id: "ClientRegistration" });

export type Registration = z.output<typeof Registration>;

export const Change = z
  .strictObject({ ...fields, disabled: z.boolean() })
  .partial()
  .meta({ id: "ClientChange" });

export type Change = z.output<typeof Change>;

const isIdentityScope = (scope: string): boolean =>
  (identityScopes as readonly string[]).includes(scope);

const scopesOf = ({ scope }: Pick<Registration, "scope">): string[] =>
  scope.split(" ").filter(Boolean);

/** A field, and what is wrong with it if anything is. */
type Finding = [field: string, mistake: string | false | undefined];
type Rule = (client: Registration, onLaptop: boolean) => Finding[];

const scopes: Rule = (client) =>
  scopesOf(client)
    .filter((scope) => !everyScope.includes(scope))
    .map((scope) => ["scope", `There is no scope ${scope}.`]);

const addresses: Rule = (client, onLaptop) => [
  ...(["redirect_uris", "post_logout_redirect_uris"] as const).flatMap((list) =>
    client[list].map((uri, index): Finding => {
      const mistake = mistakeInRedirectUri(uri, client.application_type, onLaptop);
      return [`${list}.${index}`, mistake];
    }),
  ),
  ...(["jwks_uri", "backchannel_logout_uri"] as const).map((field): Finding => {
    const uri = client[field];
    return [field, uri !== undefined && mistakeInWebUri(uri, onLaptop)];
  }),
];

const grants: Rule = ({ grant_types: types, redirect_uris, ...client }) => {
  const withCode = types.includes("authorization_code");
  const forPeople = withCode || types.includes(deviceGrant);
  const aboutPeople = scopesOf(client).some(isIdentityScope);
  return [
    [
      "redirect_uris",
      withCode && redirect_uris.length === 0 && "authorization_code needs at least one.",
    ],
    [
      "grant_types",
      !forPeople && types.includes("refresh_token") && "refresh_token is for people's sign-ins.",
    ],
    ["scope", types.length > 0 && client.scope === "" && "A grant without a scope gives nothing."],
    [
      "scope",
      !forPeople && aboutPeople && "openid, email, profile, offline_access are for people.",
    ],
  ];
};

const authentication: Rule = ({
  token_endpoint_auth_method: method,
  jwks,
  jwks_uri,
  ...client
}) => {
  const hasOneOf = Boolean(jwks) !== Boolean(jwks_uri);
  const byKey = method === "private_key_jwt";
  const isPublic = method === "none";
  return [
    ["jwks", byKey && !hasOneOf && "private_key_jwt needs either jwks or jwks_uri."],
    ["jwks", !byKey && (jwks || jwks_uri) && "Only for private_key_jwt."],
    ["resource_server", isPublic && client.resource_server && "It must prove who it is."],
    [
      "grant_types",
      isPublic &&
        client.grant_types.includes("client_credentials") &&
        "A client without credentials has no client_credentials.",
    ],
  ];
};

const rules: readonly Rule[] = [scopes, addresses, grants, authentication];

/** Throws 400 with everything that is wrong. */
export function requireSound(client: Registration, onLaptop: boolean): void {
  const errors = rules
    .flatMap((rule) => rule(client, onLaptop))
    .flatMap(([field, detail]): FieldError[] => (detail ? [{ in: "body", field, detail }] : []));
  if (errors.length > 0) throw invalidRequest(undefined, { errors });
}

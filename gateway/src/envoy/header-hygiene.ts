import { extension, type Json } from "./envoy-config.ts";

/**
 * Headers by which a service might be told who is calling, or where: only what is in front of a
 * service may set those, so what clients send under these names goes no further. Dropped before
 * Envoy looks at the request, so that its own (`x-forwarded-for`, `x-request-id` …) start clean.
 */
const PREFIXES = [
  "x-amzn-oidc-",
  "x-auth-",
  "x-authenticated-",
  "x-client-cert",
  "x-consumer-",
  "x-envoy-",
  "x-forwarded-",
  "x-jwt-",
  "x-portico-",
  "x-remote-",
  "x-user-",
];

const NAMES = [
  "forwarded",
  "remote-user",
  "true-client-ip",
  "x-client-ip",
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
  "x-original-url",
  "x-real-ip",
  "x-request-id",
  "x-rewrite-url",
  "x-user",
];

export function dropIdentityHeaders(): Json {
  return extension(
    "envoy.http.early_header_mutation.header_mutation",
    "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
    {
      mutations: [
        {
          remove_on_match: { key_matcher: { safe_regex: { regex: `(${PREFIXES.join("|")}).*` } } },
        },
        ...NAMES.map((name) => ({ remove: name })),
      ],
    },
  );
}

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

/** All of them but `kept`, which somebody whom we trust has written. */
export function dropIdentityHeaders(kept: readonly string[] = []): Json {
  const patterns = PREFIXES.map((prefix) => afterPrefix(prefix, kept));
  return extension(
    "envoy.http.early_header_mutation.header_mutation",
    "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
    {
      mutations: [
        {
          remove_on_match: { key_matcher: { safe_regex: { regex: patterns.join("|") } } },
        },
        ...NAMES.map((name) => ({ remove: name })),
      ],
    },
  );
}

function afterPrefix(prefix: string, kept: readonly string[]): string {
  const rests = kept
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length));
  return `${prefix}${rests.length > 0 ? anyBut(rests) : ".*"}`;
}

/** RE2, which never backtracks, has no lookahead: what differs from `words` does so at some letter. */
function anyBut(words: readonly string[]): string {
  const byFirst = Map.groupBy(words, (word) => word.slice(0, 1));
  const end = byFirst.delete("") ? "" : "|";
  const firsts = [...byFirst.keys()].join("");
  const branches = [...byFirst].map(
    ([first, those]) => first + anyBut(those.map((word) => word.slice(1))),
  );
  const others = firsts === "" ? "." : `[^${firsts}]`;
  return `(?:${[`${others}.*`, ...branches].join("|")}${end})`;
}

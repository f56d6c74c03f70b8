import { extension, type Json } from "./envoy-config.ts";
import { METHODS } from "./methods.ts";
import { routeSays } from "./route-metadata.ts";
import { CLAIM, SCOPES } from "./token-demands.ts";
import { MALFORMED, OTHER_METHOD } from "./well-formed.ts";

/**
 * Envoy's own answers as problem documents (RFC 9457), with the codes that the services use. What a
 * service answers is never touched.
 */
export function localReplies(): Json {
  return {
    mappers: [
      // Redirects and answers to preflights are no problems.
      asItIs(statusIs("LE", 399)),
      mapper(
        detailsStartWith(`rbac_access_denied_matched_policy[${MALFORMED}]`),
        MALFORMED_REQUEST,
      ),
      mapper(
        detailsStartWith(`rbac_access_denied_matched_policy[${OTHER_METHOD}]`),
        METHOD_NOT_ALLOWED,
      ),
      ...tokenProblems(),
      // Envoy refuses a QUERY without a body before any route says that there is no QUERY here.
      mapper(detailsStartWith("query_missing_content_type"), METHOD_NOT_ALLOWED),
      ...Object.entries(PROBLEMS).map(([status, problem]) =>
        mapper(statusIs("EQ", Number(status)), problem),
      ),
      mapper(statusIs("LE", 499), OTHER_REQUEST),
    ],
    body_format: bodyFormat(INTERNAL),
  };
}

interface LocalProblem {
  readonly title: string;
  readonly code: string;
  readonly detail: string;
  /** When the status that Envoy chose is not the one that fits. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const UNAUTHENTICATED = { title: "Unauthorized", code: "unauthenticated", status: 401 };

const TOKEN_MISSING: LocalProblem = {
  ...UNAUTHENTICATED,
  detail: "Send an access token: Authorization: Bearer <token>.",
  headers: { "www-authenticate": "Bearer" },
};

/** RFC 6750, section 3.1. Envoy itself says 403 to a wrong audience, and puts the URL in the realm. */
const TOKEN_INVALID: LocalProblem = {
  ...UNAUTHENTICATED,
  detail: "The access token is expired, not for this audience or not valid.",
  headers: { "www-authenticate": 'Bearer error="invalid_token"' },
};

/** RFC 6750, section 3.1, with the scopes that the route asks for. */
const SCOPE_MISSING: LocalProblem = {
  title: "Forbidden",
  code: "insufficient-scope",
  detail: `The access token lacks a scope. This needs: ${routeSays("scopes")}.`,
  headers: {
    "www-authenticate": `Bearer error="insufficient_scope", scope="${routeSays("scopes")}"`,
  },
};

const CLAIM_MISSING: LocalProblem = {
  title: "Forbidden",
  code: "forbidden",
  detail: "The access token lacks a claim, or a value of one, that this route asks for.",
};

const TOO_MANY: LocalProblem = {
  title: "Too Many Requests",
  code: "too-many-requests",
  detail: "Slow down and try again shortly.",
};

const UNAVAILABLE: LocalProblem = {
  title: "Service Unavailable",
  code: "unavailable",
  detail: "The service cannot be reached. Try again shortly.",
  headers: { "retry-after": "1" },
};

const METHOD_NOT_ALLOWED: LocalProblem = {
  title: "Method Not Allowed",
  code: "method-not-allowed",
  detail: "The gateway lets no such method through.",
  status: 405,
  headers: { allow: METHODS.join(", ") },
};

const MALFORMED_REQUEST: LocalProblem = {
  title: "Bad Request",
  code: "invalid-request",
  detail: "The request is malformed: its path, a header or its framing cannot be accepted.",
  status: 400,
};

const PROBLEMS: Readonly<Record<number, LocalProblem>> = {
  400: MALFORMED_REQUEST,
  401: TOKEN_MISSING,
  403: {
    title: "Forbidden",
    code: "forbidden",
    detail: "The gateway does not allow this request.",
  },
  404: { title: "Not Found", code: "not-found", detail: "Nothing is served at this path." },
  405: METHOD_NOT_ALLOWED,
  408: {
    title: "Request Timeout",
    code: "request-timeout",
    detail: "The request did not arrive in time.",
  },
  413: {
    title: "Content Too Large",
    code: "payload-too-large",
    detail: "The body is larger than 1 MiB.",
  },
  421: {
    title: "Misdirected Request",
    code: "misdirected-request",
    detail: "This connection was made for another host. Ask again on a new one.",
  },
  426: {
    title: "Upgrade Required",
    code: "upgrade-required",
    detail: "Use HTTP/1.1 or HTTP/2.",
    headers: { upgrade: "HTTP/1.1", connection: "Upgrade" },
  },
  429: TOO_MANY,
  431: {
    title: "Request Header Fields Too Large",
    code: "headers-too-large",
    detail: "The headers are larger than 12 KiB or more than 100.",
  },
  501: {
    title: "Not Implemented",
    code: "unsupported-transfer-coding",
    detail: "Send a body with Content-Length or Transfer-Encoding: chunked.",
  },
  502: {
    title: "Bad Gateway",
    code: "upstream-unavailable",
    detail: "The service gave no usable answer.",
  },
  503: UNAVAILABLE,
  504: {
    title: "Gateway Timeout",
    code: "upstream-timeout",
    detail: "The service did not answer in time.",
  },
};

const OTHER_REQUEST: LocalProblem = {
  title: "Bad Request",
  code: "invalid-request",
  detail: "The gateway cannot accept this request.",
};

const INTERNAL: LocalProblem = {
  title: "Internal Server Error",
  code: "internal",
  detail: "Something went wrong.",
};

/** A token that cannot be checked because the issuer has never been reached is not the caller's fault. */
function tokenProblems(): Json[] {
  const details = "jwt_authn_access_denied{";
  return [
    mapper(detailsStartWith(`${details}Jwks_remote_fetch_is_failed`), {
      ...UNAVAILABLE,
      status: 503,
    }),
    mapper(detailsStartWith(`${details}Jwt_is_missing`), TOKEN_MISSING),
    mapper(detailsStartWith(details), TOKEN_INVALID),
    mapper(detailsStartWith("local_rate_limited"), {
      ...TOO_MANY,
      headers: { "retry-after": routeSays("retryAfter") },
    }),
    mapper(detailsEndWith(`${SCOPES}]`), SCOPE_MISSING),
    mapper(detailsEndWith(`${CLAIM}]`), CLAIM_MISSING),
  ];
}

function mapper(filter: Json, problem: LocalProblem): Json {
  return {
    filter,
    ...(problem.status !== undefined && { status_code: problem.status }),
    headers_to_add: Object.entries(problem.headers ?? {}).map(([key, value]) => ({
      header: { key, value },
      append_action: "OVERWRITE_IF_EXISTS_OR_ADD",
    })),
    body_format_override: bodyFormat(problem),
  };
}

function asItIs(filter: Json): Json {
  const body_format_override = { text_format_source: { inline_string: "%LOCAL_REPLY_BODY%" } };
  return { filter, body_format_override };
}

function bodyFormat({ title, code, detail }: LocalProblem): Json {
  return {
    content_type: "application/problem+json",
    json_format: { type: "about:blank", title, status: "%RESPONSE_CODE%", code, detail },
  };
}

function statusIs(op: "EQ" | "LE", status: number): Json {
  const value = {
    default_value: status,
    runtime_key: `portico.local_reply.${op.toLowerCase()}_${status}`,
  };
  return { status_code_filter: { comparison: { op, value } } };
}

function detailsStartWith(prefix: string): Json {
  return detailsAre(`startsWith('${prefix}')`);
}

function detailsEndWith(suffix: string): Json {
  return detailsAre(`endsWith('${suffix}')`);
}

function detailsAre(claim: string): Json {
  return {
    extension_filter: extension(
      "envoy.access_loggers.extension_filters.cel",
      "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter",
      { expression: `response.code_details.${claim}` },
    ),
  };
}

import { extension, type Json } from "./envoy-config.ts";
import { METHODS } from "./methods.ts";

/**
 * Envoy joins a repeated `Host` or `Authorization` with a comma and passes it on: whoever is behind may
 * read the other half. The first filter refuses what has more than one, before any rule is looked at.
 * `local-replies.ts` turns the refusal into a 400.
 */
export const MALFORMED = "malformed";
/** Turned into a 405. */
export const OTHER_METHOD = "other-method";

/** A name or an address with perhaps a port: no comma, no user, nothing that needs an escape. */
const HOST = String.raw`(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?`;

/**
 * Credentials of these schemes hold no comma, so one before or after them is the seam of two headers.
 * Not every comma: Digest and AWS's signatures separate their parts with it.
 */
const SEAM = String.raw`(?i)(bearer|dpop|basic|negotiate)( .*)?,.*|.*,\s*(bearer|dpop|basic|negotiate|digest|aws4-hmac-sha256)( .*)?`;

export function refuseMalformed(): Json {
  return extension("envoy.filters.http.rbac", "envoy.extensions.filters.http.rbac.v3.RBAC", {
    rules: {
      action: "DENY",
      policies: {
        [MALFORMED]: {
          permissions: [header(":authority", HOST, true), twoCredentials()],
          principals: [{ any: true }],
        },
        [OTHER_METHOD]: {
          permissions: [header(":method", METHODS.join("|"), true)],
          principals: [{ any: true }],
        },
      },
    },
  });
}

/** The comma first: nearly every request is done with after that. */
function twoCredentials(): Json {
  const hasComma = { header: { name: "authorization", string_match: { contains: "," } } };
  return { and_rules: { rules: [hasComma, header("authorization", SEAM, false)] } };
}

function header(name: string, regex: string, isInverted: boolean): Json {
  return {
    header: {
      name,
      string_match: { safe_regex: { regex } },
      ...(isInverted && { invert_match: true }),
    },
  };
}

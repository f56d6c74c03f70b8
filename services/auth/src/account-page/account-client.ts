/**
 * The account page's own client. The page is auth's, so it needs no token: it reads the session that the
 * browser has with auth anyway, as the consent page does. What it needs the protocol for is that a person
 * signs in, with everything that this may take, and comes back. That is a request for nothing (OAuth 2.0
 * Multiple Response Type Encoding Practices section 4, `none`): no code or token travels through the
 * browser, and there is no second session that would have to end with the first.
 */

import { recentS } from "../oidc/recent-sign-in.ts";

export const accountPath = "/auth/account";

const clientId = "portico-account";
const signedInPath = `${accountPath}/signed-in`;

/** For the protocol library. */
export const accountClient = (issuer: string) => ({
  client_id: clientId,
  client_name: "your account",
  token_endpoint_auth_method: "none" as const,
  application_type: "web" as const,
  grant_types: [],
  response_types: ["none" as const],
  redirect_uris: [new URL(signedInPath, issuer).href],
  scope: "openid",
});

/** Pages that somebody may be sent back to after signing in. */
export const returnPaths = ["", "/security", "/export", "/delete"] as const;
export type ReturnPath = (typeof returnPaths)[number];

/** @param options.recently the person must have signed in no longer ago than `recentS` */
export function signInUrl(
  issuer: string,
  returnTo: ReturnPath,
  { recently }: { recently: boolean },
): string {
  const url = new URL(`${issuer}/authorize`);
  url.search = new URLSearchParams({
    client_id: clientId,
    redirect_uri: new URL(signedInPath, issuer).href,
    response_type: "none",
    scope: "openid",
    state: returnTo,
    ...(recently && { max_age: String(recentS) }),
  }).toString();
  return url.href;
}

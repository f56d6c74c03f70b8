import type { IncomingMessage, ServerResponse } from "node:http";
import type { Provider } from "oidc-provider";

/** Of the browser's session with auth: scripts and other sites have no use of it. */
export const sessionCookieOptions = {
  httpOnly: true,
  sameSite: "lax",
  signed: true,
  path: "/auth",
} as const;

/** As the protocol library sets it, for a session whose id was changed outside of its own requests. */
export function setSessionCookie(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
  { jti, exp }: { jti: string; exp: number },
): void {
  // Whether the cookie is Secure follows from the issuer, not from what a client says.
  request.headers["x-forwarded-proto"] = new URL(provider.issuer).protocol.slice(0, -1);
  const { cookies } = provider.createContext(request, response);
  const expires = new Date(exp * 1000);
  cookies.set(provider.cookieName("session"), jti, { ...sessionCookieOptions, expires });
}

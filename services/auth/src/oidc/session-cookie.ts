import type { IncomingMessage, ServerResponse } from "node:http";
import type { Provider } from "oidc-provider";

const isSecure = (issuer: string): boolean => issuer.startsWith("https:");

/**
 * Prefixes (RFC 6265bis section 4.1.3): behind TLS no sibling domain, and nothing without TLS, can put a
 * session of its own choice into a browser. An interaction's cookies belong to its path, which only the
 * weaker one allows.
 */
export const cookieNames = (issuer: string) =>
  isSecure(issuer)
    ? {
        session: "__Host-portico-auth",
        interaction: "__Secure-portico-interaction",
        resume: "__Secure-portico-resume",
      }
    : { session: "_session", interaction: "_interaction", resume: "_interaction_resume" };

/** Of the browser's session with auth: scripts and other sites have no use of it. */
export const sessionCookieOptions = (issuer: string) =>
  ({
    httpOnly: true,
    sameSite: "lax",
    signed: true,
    path: isSecure(issuer) ? "/" : "/auth",
  }) as const;

/** As the protocol library sets it, for a session whose id was changed outside of its own requests. */
export function setSessionCookie(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
  { jti, exp }: { jti: string; exp: number },
): void {
  const { issuer } = provider;
  // Whether the cookie is Secure follows from the issuer, not from what a client says.
  request.headers["x-forwarded-proto"] = new URL(issuer).protocol.slice(0, -1);
  const { cookies } = provider.createContext(request, response);
  const options = { ...sessionCookieOptions(issuer), expires: new Date(exp * 1000) };
  cookies.set(provider.cookieName("session"), jti, options);
}

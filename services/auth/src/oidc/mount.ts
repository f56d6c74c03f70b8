/**
 * Where the protocol library is reached: its own paths under the issuer, and nothing else, so that any
 * other path is answered as everywhere in the platform.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { methodNotAllowed } from "@portico/service-kit";
import type { Provider } from "oidc-provider";
import { pagePolicy } from "../pages/page.ts";
import type { CurrentProvider } from "./current-provider.ts";

const paths: Record<string, readonly string[]> = {
  "/.well-known/openid-configuration": ["GET", "HEAD", "OPTIONS"],
  "/.well-known/oauth-authorization-server": ["GET", "HEAD", "OPTIONS"],
  "/jwks": ["GET", "HEAD", "OPTIONS"],
  "/authorize": ["GET", "HEAD"],
  "/authorize/:uid": ["GET", "HEAD"],
  "/par": ["POST", "OPTIONS"],
  "/device-authorization": ["POST", "OPTIONS"],
  "/device": ["GET", "HEAD", "POST"],
  "/device/:uid": ["GET", "HEAD"],
  "/token": ["POST", "OPTIONS"],
  "/token/introspection": ["POST", "OPTIONS"],
  "/token/revocation": ["POST", "OPTIONS"],
  "/userinfo": ["GET", "HEAD", "POST", "OPTIONS"],
  "/session/end": ["GET", "HEAD"],
  "/session/end/confirm": ["POST"],
  "/session/end/success": ["GET", "HEAD"],
};

type Request = IncomingMessage & { originalUrl?: string };

/** As `foreign` handlers of the kit's createApp. */
export function mountProvider(currentProvider: CurrentProvider) {
  const issuer = new URL(currentProvider().issuer);
  const handlers = new WeakMap<Provider, ReturnType<Provider["callback"]>>();
  const handlerOf = (provider: Provider) => {
    const handle = handlers.get(provider) ?? provider.callback();
    handlers.set(provider, handle);
    return handle;
  };
  return Object.entries(paths).map(([path, methods]) => ({
    route: `${issuer.pathname}${path}`,
    async handler(request: Request, response: ServerResponse) {
      if (!methods.includes(request.method ?? "")) {
        throw methodNotAllowed(undefined, { headers: { Allow: methods.join(", ") } });
      }
      reachAtIssuer(request, issuer);
      response.setHeader("Content-Security-Policy", pagePolicy());
      await handlerOf(currentProvider())(request, response);
    },
  }));
}

/**
 * The library writes URLs and decides on Secure cookies by these headers, which anybody can send; the
 * issuer is what they must say. Its paths begin after the issuer's.
 */
function reachAtIssuer(request: Request, issuer: URL): void {
  request.headers.host = issuer.host;
  request.headers["x-forwarded-proto"] = issuer.protocol.slice(0, -1);
  delete request.headers["x-forwarded-host"];
  request.originalUrl ??= request.url;
  request.url = request.url?.slice(issuer.pathname.length);
}

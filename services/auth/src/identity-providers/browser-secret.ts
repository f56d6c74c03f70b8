/**
 * The secret that a browser keeps while its person is away at a provider: one for all of its tabs. Lax,
 * so that it comes back with the provider's redirect; whoever lacks it has no use for somebody's answer.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { hash, lifetimeMs, newBrowserSecret } from "./federated-sign-in.ts";

export type BrowserSecrets = {
  /** The one that the browser has, kept for longer from now on, or a new one. */
  keep(request: IncomingMessage, response: ServerResponse): string;
  read(request: IncomingMessage): string | undefined;
};

export function createBrowserSecrets(publicOrigin: string): BrowserSecrets {
  const isSecure = publicOrigin.startsWith("https:");
  // The prefix lets no sibling domain, and nothing without TLS, put such a cookie here.
  const name = isSecure ? "__Host-portico-away" : "portico-away";
  const attributes = [
    ...["Path=/", "HttpOnly", "SameSite=Lax", `Max-Age=${lifetimeMs / 1000}`],
    ...(isSecure ? ["Secure"] : []),
  ].join("; ");

  const read = ({ headers }: IncomingMessage): string | undefined => {
    const pair = headers.cookie?.split("; ").find((one) => one.startsWith(`${name}=`));
    const secret = pair?.slice(name.length + 1);
    return secret && /^[\w-]{43}$/.test(secret) ? secret : undefined;
  };

  return {
    read,
    keep(request, response) {
      const secret = read(request) ?? newBrowserSecret();
      response.appendHeader("Set-Cookie", `${name}=${secret}; ${attributes}`);
      return secret;
    },
  };
}

/** What is kept of a request's browser. */
export const browserHashOf = (secrets: BrowserSecrets, request: IncomingMessage): string =>
  hash(secrets.read(request) ?? "");

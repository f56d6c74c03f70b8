/**
 * Which addresses a client may be registered with. They are compared character by character (RFC 9700
 * section 2.1), so each is written the way it will be sent: no pattern, no fragment, nothing that two
 * programs could read in two ways.
 */

export type ApplicationType = "web" | "native";

const loopbacks = ["127.0.0.1", "[::1]", "localhost"];

const isLoopback = ({ protocol, hostname }: URL): boolean =>
  protocol === "http:" && loopbacks.includes(hostname);

/** Another reading of the same address would be another string. */
const isWrittenPlainly = (uri: string, url: URL): boolean =>
  (uri === url.href || `${uri}/` === url.href) &&
  !/[*\\\s]/.test(uri) &&
  !url.username &&
  !url.password;

/**
 * RFC 8252: a native application is reached at a loopback address, at a claimed https address, or by a
 * scheme of its own, which is a domain name backwards (section 7.1).
 */
const suitsNative = (url: URL): boolean =>
  isLoopback(url) ||
  (url.protocol === "https:" && !loopbacks.includes(url.hostname)) ||
  /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+:$/.test(url.protocol);

/**
 * What is wrong with a redirect URI; undefined when nothing is.
 * @param onLaptop the platform itself is at a loopback address, so web applications may be there too
 */
export function mistakeInRedirectUri(
  uri: string,
  type: ApplicationType,
  onLaptop: boolean,
): string | undefined {
  const url = URL.parse(uri);
  if (!url) return "Not an absolute URI.";
  if (uri.includes("#")) return "Must have no fragment (RFC 6749 section 3.1.2).";
  if (!isWrittenPlainly(uri, url))
    return "Must be written plainly: no wildcard, user or dot segment.";
  if (type === "native") {
    return suitsNative(url)
      ? undefined
      : "Must be https, loopback, or a scheme that is a domain name backwards (RFC 8252).";
  }
  return mistakeInWebUri(uri, onLaptop);
}

/** Where auth itself, or a browser, calls a server. */
export function mistakeInWebUri(uri: string, onLaptop: boolean): string | undefined {
  const url = URL.parse(uri);
  if (!url || !isWrittenPlainly(uri, url) || uri.includes("#")) return "Not a plain https URL.";
  return url.protocol === "https:" || (onLaptop && isLoopback(url)) ? undefined : "Must be https.";
}

export const isOnLaptop = (issuer: string): boolean => isLoopback(new URL(issuer));

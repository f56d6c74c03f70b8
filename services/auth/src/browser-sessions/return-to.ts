import { invalidRequest } from "@portico/service-kit";
import { browserSessionPath } from "./browser-session.ts";

/** Where a browser app wants to be when its person is signed in -> an address of ours. Throws 400. */
export type ReturnTo = (given: string | null) => string;

const longest = 1024;

/**
 * Read as a browser reads it, and only what was read is ever sent: of the tricks with slashes, backslashes,
 * user names and white space none is left then. The way back to the beginning would never end.
 */
export function returnToWith(publicOrigin: string, frontendUrl: string): ReturnTo {
  const ours = [publicOrigin, frontendUrl].map((url) => `${new URL(url).origin}/`);

  return (given) => {
    if (given === null) return frontendUrl;
    const url = given.length <= longest ? URL.parse(given, publicOrigin) : null;
    const isOurs = url && ours.some((origin) => url.href.startsWith(origin));
    if (isOurs && !url.pathname.startsWith(browserSessionPath)) return url.href;
    const detail = "Must be a path of this platform, or an address of its frontend.";
    throw invalidRequest(undefined, { errors: [{ in: "query", field: "return_to", detail }] });
  };
}

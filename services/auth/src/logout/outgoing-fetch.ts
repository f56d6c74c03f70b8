import type { Configuration } from "oidc-provider";

type OutgoingFetch = NonNullable<Configuration["fetch"]>;

/**
 * How the library calls clients: for logout, and for their keys. It lets no connection be made to an
 * address that is not public, whatever a name resolves to, so that a client's registration is no way to
 * what is only reachable from inside. A platform on a laptop has its clients there too, and calls them.
 */
export const outgoingFetch =
  (onLaptop: boolean): OutgoingFetch =>
  (url, options) => {
    if (!onLaptop) return fetch(url, options);
    const { dispatcher: _, ...unguarded } = options as typeof options & { dispatcher?: unknown };
    return fetch(url, unguarded);
  };

import { readFile } from "node:fs/promises";

/** How to reach an API server: its address, whose certificate it has, and who we are. */
export interface Connection {
  readonly server: URL;
  readonly tls: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly servername?: string;
    readonly rejectUnauthorized?: boolean;
  };
  /** Asked anew for every request: the kubelet replaces a pod's token every hour. */
  token(): Promise<string | undefined>;
}

const TOKEN_AGE_MS = 60_000;

/** Read once a minute, which is often enough: a token is replaced well before it ends. */
export function tokenOfFile(path: string, now: () => number = Date.now): Connection["token"] {
  let known: { readonly token: string; readonly readAt: number } | undefined;
  return async () => {
    if (known === undefined || now() - known.readAt > TOKEN_AGE_MS) {
      known = { token: (await readFile(path, "utf8")).trim(), readAt: now() };
    }
    return known.token;
  };
}

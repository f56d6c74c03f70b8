/** Puts a request handler on a port and takes it off again. */
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo, Server } from "node:net";

export type Address = {
  /** Address to listen on. Default 127.0.0.1. */
  host?: string | undefined;
  /** 0 or absent: any free port. */
  port?: number | undefined;
};

/** PEM key and certificate: the server then speaks HTTPS. */
export type Tls = { key: string; cert: string };

export type Listening = { url: string; close(): Promise<void> };

/** Resolves once a server listens, with the port it got; rejects when it cannot. */
export function whenListening(server: Server, { host = "127.0.0.1", port = 0 }: Address) {
  return new Promise<number>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** The name a client on this machine reaches a listening address by. */
export function reachableHost(host = "127.0.0.1"): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

/** Loaded only where it is asked for: TLS costs a process several megabytes. */
async function createTlsServer(tls: Tls, handler: RequestListener) {
  const https = await import("node:https");
  return https.createServer(tls, handler);
}

export async function listen(
  handler: RequestListener,
  address: Address,
  tls?: Tls,
): Promise<Listening> {
  const server = tls ? await createTlsServer(tls, handler) : createServer(handler);
  const port = await whenListening(server, address);
  const scheme = tls ? "https" : "http";

  return {
    url: `${scheme}://${reachableHost(address.host)}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

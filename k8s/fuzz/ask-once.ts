import { type IncomingHttpHeaders, request } from "node:http";

/** One request for a host, wherever the gateway is; fetch lets nobody choose the Host. */
export function askOnce(
  gateway: URL,
  host: string,
): Promise<{ readonly status: number; readonly headers: IncomingHttpHeaders }> {
  return new Promise((resolve) => {
    const outgoing = request(
      new URL("/good", gateway),
      // On a connection of its own: until kube-proxy knows the Service, something else may answer, and would go on.
      { headers: { host }, timeout: 5000, agent: false },
      (response) => {
        response.resume();
        resolve({ status: response.statusCode ?? 0, headers: response.headers });
      },
    );
    // It may not be there yet: whoever waits for it asks again.
    outgoing.on("error", () => resolve({ status: 0, headers: {} }));
    outgoing.on("timeout", () => outgoing.destroy());
    outgoing.end();
  });
}

/** An Envoy that does nothing but proxy: no filter but the router, and no log of requests. */
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { envoy, findBinary } from "@portico/dev-env";
import { type Child, startChild } from "../child.ts";

/** As many as the gateway's own Envoy gets. */
export const proxyThreads = Math.min(availableParallelism(), 4);

export async function startBareEnvoy(
  folder: string,
  port: number,
  upstreamPort: number,
): Promise<Child> {
  const file = join(folder, `bare-envoy-${port}.json`);
  await writeFile(file, bareEnvoy(port, upstreamPort));
  const threads = ["--concurrency", String(proxyThreads)];
  const args = ["-c", file, "--disable-hot-restart", ...threads, "-l", "error"];
  return startChild(await findBinary(envoy), args, { folder, name: "bare-envoy" });
}

const bareEnvoy = (port: number, upstreamPort: number): string =>
  JSON.stringify({
    static_resources: {
      listeners: [
        {
          address: loopback(port),
          filter_chains: [{ filters: [connectionManager] }],
        },
      ],
      clusters: [
        {
          name: "upstream",
          load_assignment: {
            cluster_name: "upstream",
            endpoints: [{ lb_endpoints: [{ endpoint: { address: loopback(upstreamPort) } }] }],
          },
        },
      ],
    },
  });

const loopback = (port: number) => ({
  socket_address: { address: "127.0.0.1", port_value: port },
});

const connectionManager = {
  name: "envoy.filters.network.http_connection_manager",
  typed_config: {
    "@type":
      "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    stat_prefix: "bare",
    route_config: {
      virtual_hosts: [
        {
          name: "all",
          domains: ["*"],
          routes: [{ match: { prefix: "/" }, route: { cluster: "upstream" } }],
        },
      ],
    },
    http_filters: [
      {
        name: "envoy.filters.http.router",
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
        },
      },
    ],
  },
};

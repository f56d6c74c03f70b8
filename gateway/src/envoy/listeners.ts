import type { Listener } from "../model/model.ts";
import { type EnvoyResource, type Surroundings, typed } from "./envoy-config.ts";
import { httpConnectionManager } from "./http-connection-manager.ts";

/** LDS: one socket, one filter chain. What may change with a route is in the route configuration. */
export function listenerOf(listener: Listener, surroundings: Surroundings): EnvoyResource {
  return typed("envoy.config.listener.v3.Listener", {
    name: listener.name,
    address: { socket_address: { address: surroundings.host, port_value: listener.port } },
    per_connection_buffer_limit_bytes: 32 * 1024,
    filter_chains: [
      {
        filters: [
          {
            name: "envoy.filters.network.http_connection_manager",
            typed_config: httpConnectionManager(
              listener,
              surroundings.fileOf("routes", listener.name),
            ),
          },
        ],
      },
    ],
  });
}

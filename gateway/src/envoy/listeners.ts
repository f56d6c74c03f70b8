import type { Listener, Server } from "../model/model.ts";
import {
  type EnvoyResource,
  extension,
  type Json,
  type Surroundings,
  typed,
} from "./envoy-config.ts";
import { httpConnectionManager } from "./http-connection-manager.ts";
import { downstreamTls } from "./tls.ts";

/**
 * LDS: one socket, and one filter chain for each TLS name, or one where there is no TLS. What may
 * change with a route is in the route configuration.
 */
export function listenerOf(listener: Listener, surroundings: Surroundings): EnvoyResource {
  const isSecured = listener.servers.some(({ tls }) => tls !== undefined);
  return typed("envoy.config.listener.v3.Listener", {
    name: listener.name,
    address: { socket_address: { address: surroundings.host, port_value: listener.socketPort } },
    per_connection_buffer_limit_bytes: 32 * 1024,
    ...(isSecured && { listener_filters: [tlsInspector()] }),
    filter_chains: listener.servers.map((server) => filterChain(listener, server, surroundings)),
  });
}

function filterChain(listener: Listener, server: Server, surroundings: Surroundings): Json {
  return {
    ...(server.tls && {
      name: server.name,
      filter_chain_match: {
        transport_protocol: "tls",
        ...(server.tls.hostname !== "*" && { server_names: [server.tls.hostname] }),
      },
      transport_socket: downstreamTls(server.tls, surroundings),
      // Of the handshake: a client that says nothing holds no socket.
      transport_socket_connect_timeout: "10s",
    }),
    filters: [
      {
        name: "envoy.filters.network.http_connection_manager",
        typed_config: httpConnectionManager(
          { ...listener, name: server.name },
          surroundings.fileOf("routes", server.name),
          surroundings,
        ),
      },
    ],
  };
}

function tlsInspector(): Json {
  return extension(
    "envoy.filters.listener.tls_inspector",
    "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
  );
}

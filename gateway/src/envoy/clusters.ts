import type { Backend } from "../model/model.ts";
import { backendTraffic } from "./backend-traffic.ts";
import { type EnvoyResource, fileSource, type Surroundings, typed } from "./envoy-config.ts";
import { upstreamTls } from "./tls.ts";

/** CDS: how to talk to a backend. Where it is comes by EDS, so moving pods never touches this. */
export function clusterOf(backend: Backend, surroundings: Surroundings): EnvoyResource {
  const { name, protocol, tls } = backend;
  return typed("envoy.config.cluster.v3.Cluster", {
    name,
    type: "EDS",
    eds_cluster_config: { eds_config: fileSource(surroundings.fileOf("endpoints", name)) },
    connect_timeout: "1s",
    lb_policy: "LEAST_REQUEST",
    per_connection_buffer_limit_bytes: 32 * 1024,
    ...backendTraffic(backend.traffic),
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed(
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        {
          // Shorter than the services' keep-alive (75 s): the side that is asked must not hang up first.
          common_http_protocol_options: { idle_timeout: "60s" },
          explicit_http_config:
            protocol === "http2" ? { http2_protocol_options: {} } : { http_protocol_options: {} },
        },
      ),
    },
    ...(tls && {
      transport_socket: upstreamTls(tls, protocol === "http2" ? "h2" : "http/1.1", surroundings),
    }),
  });
}

import type { Backend } from "../model/model.ts";
import { backendTraffic } from "./backend-traffic.ts";
import { endpointsOf } from "./endpoints.ts";
import { type EnvoyResource, type Surroundings, typed } from "./envoy-config.ts";
import { retryPolicy } from "./retries.ts";
import { upstreamTls } from "./tls.ts";

/**
 * CDS: how to talk to a backend, and where it is. Not by EDS: Envoy spends an inotify instance on each
 * file that it watches, of which a user has 128 on a machine, and ends when there are none left. A
 * cluster that changes is made anew: requests on their way end on the connections that they have.
 */
export function clusterOf(backend: Backend, surroundings: Surroundings): EnvoyResource {
  const { name, protocol, tls } = backend;
  return typed("envoy.config.cluster.v3.Cluster", {
    name,
    type: "STATIC",
    load_assignment: endpointsOf(backend),
    connect_timeout: "1s",
    lb_policy: "LEAST_REQUEST",
    per_connection_buffer_limit_bytes: 32 * 1024,
    ...backendTraffic(backend.traffic),
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed(
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        {
          // Of every route that leads here and does not say itself: said once, and not on each host.
          retry_policy: retryPolicy(),
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

import type { Backend } from "../model/model.ts";
import { type EnvoyResource, fileSource, type Surroundings, typed } from "./envoy-config.ts";

/** CDS: how to talk to a backend. Where it is comes by EDS, so moving pods never touches this. */
export function clusterOf({ name }: Backend, surroundings: Surroundings): EnvoyResource {
  return typed("envoy.config.cluster.v3.Cluster", {
    name,
    type: "EDS",
    eds_cluster_config: { eds_config: fileSource(surroundings.fileOf("endpoints", name)) },
    connect_timeout: "1s",
    lb_policy: "LEAST_REQUEST",
    per_connection_buffer_limit_bytes: 32 * 1024,
    circuit_breakers: { thresholds: [{ max_retries: 100 }] },
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed(
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        {
          // Shorter than the services' keep-alive (75 s): the side that is asked must not hang up first.
          common_http_protocol_options: { idle_timeout: "60s" },
          explicit_http_config: { http_protocol_options: {} },
        },
      ),
    },
  });
}

import { EDGE_LIMITS, type EdgeLimits } from "./edge-limits.ts";
import { extension, fileSource, type Json } from "./envoy-config.ts";
import { sharedLimitsCluster } from "./shared-rate-limit.ts";

/**
 * What Envoy is started with: where the rest is, the admin interface, and the limits of the whole
 * process (Envoy, "Configuring Envoy as an edge proxy").
 */
export function bootstrap(options: {
  readonly adminPort: number;
  readonly listenersFile: string;
  readonly clustersFile: string;
  readonly sharedLimitsSocket: string;
  readonly limits?: EdgeLimits;
}): Json {
  return {
    node: { id: "portico-envoy", cluster: "portico" },
    admin: {
      address: { socket_address: { address: "127.0.0.1", port_value: options.adminPort } },
      ignore_global_conn_limit: true,
    },
    dynamic_resources: {
      lds_config: fileSource(options.listenersFile),
      cds_config: fileSource(options.clustersFile),
    },
    static_resources: { clusters: [sharedLimitsCluster(options.sharedLimitsSocket)] },
    overload_manager: overloadManager(options.limits ?? EDGE_LIMITS),
    layered_runtime: runtime(),
    application_log_config: {
      log_format: {
        json_format: {
          time: "%Y-%m-%dT%H:%M:%S.%eZ",
          level: "%l",
          service: "envoy",
          event: "envoy.%n",
          message: "%j",
        },
      },
    },
  };
}

function overloadManager({ maxConnections, maxHeapMiB }: EdgeLimits): Json {
  const monitors = "envoy.extensions.resource_monitors";
  return {
    refresh_interval: "0.25s",
    resource_monitors: [
      extension("envoy.resource_monitors.fixed_heap", `${monitors}.fixed_heap.v3.FixedHeapConfig`, {
        max_heap_size_bytes: maxHeapMiB * 1024 * 1024,
      }),
      extension(
        "envoy.resource_monitors.global_downstream_max_connections",
        `${monitors}.downstream_connections.v3.DownstreamConnectionsConfig`,
        { max_active_downstream_connections: maxConnections },
      ),
    ],
    actions: [
      overloadAction("envoy.overload_actions.shrink_heap", 0.95),
      overloadAction("envoy.overload_actions.stop_accepting_requests", 0.98),
    ],
  };
}

/**
 * Of a connection's first 100 streams at least half must live for a second: opening and resetting
 * them as fast as one can (CVE-2023-44487, "rapid reset") ends the connection. Regular expressions
 * may be longer than Envoy's cautious 100 instructions; RE2 takes no more time for it than a text is long.
 */
function runtime(): Json {
  const limits = {
    "overload.premature_reset_total_stream_count": 100,
    "overload.premature_reset_min_stream_lifetime_seconds": 1,
    "re2.max_program_size.error_level": 100_000,
    "re2.max_program_size.warn_level": 100_000,
  };
  return {
    layers: [
      { name: "limits", static_layer: limits },
      // What an operator changes by hand, for an hour, through the admin interface.
      { name: "admin", admin_layer: {} },
    ],
  };
}

function overloadAction(name: string, threshold: number): Json {
  return {
    name,
    triggers: [{ name: "envoy.resource_monitors.fixed_heap", threshold: { value: threshold } }],
  };
}

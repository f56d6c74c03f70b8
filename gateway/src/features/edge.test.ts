import { expect, test } from "vitest";
import { bootstrap } from "../envoy/bootstrap.ts";
import { GATEWAY, given, TOKENS } from "./given.ts";

/** Envoy's "Configuring Envoy as an edge proxy", field by field: a default that returns is seen here. */

type Fields = Readonly<Record<string, unknown>>;

function connectionManager(): Fields {
  const { filter_chains } = given(GATEWAY, TOKENS).listener() as unknown as {
    filter_chains: [{ filters: [{ name: string; typed_config: Fields }] }];
  };
  return filter_chains[0].filters[0].typed_config;
}

test("edge > a listener binds its port with a small buffer for each connection", () => {
  expect(given(GATEWAY, TOKENS).listener()).toMatchObject({
    "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
    name: "portico_portico_8080",
    address: { socket_address: { address: "127.0.0.1", port_value: 8080 } },
    per_connection_buffer_limit_bytes: 32768,
  });
});

test("edge > the peer is the client, and one path has one spelling", () => {
  expect(connectionManager()).toMatchObject({
    use_remote_address: true,
    xff_num_trusted_hops: 0,
    normalize_path: true,
    merge_slashes: true,
    path_with_escaped_slashes_action: "REJECT_REQUEST",
    common_http_protocol_options: { headers_with_underscores_action: "REJECT_REQUEST" },
  });
});

test("edge > time, headers and streams are bounded", () => {
  expect(connectionManager()).toMatchObject({
    max_request_headers_kb: 12,
    request_headers_timeout: "10s",
    request_timeout: "60s",
    stream_idle_timeout: "300s",
    common_http_protocol_options: { idle_timeout: "900s", max_headers_count: 100 },
    http_protocol_options: { allow_custom_methods: true },
    http2_protocol_options: {
      max_concurrent_streams: 100,
      initial_stream_window_size: 65536,
      initial_connection_window_size: 1048576,
    },
  });
});

test("edge > filters are in this order: is it well-formed, is it a preflight, who may pass, how much, where to", () => {
  const filters = connectionManager().http_filters as { name: string; typed_config: Fields }[];
  expect(filters.map(({ name }) => name)).toEqual([
    "envoy.filters.http.rbac",
    "envoy.filters.http.cors",
    "envoy.filters.http.local_ratelimit",
    "envoy.filters.http.ratelimit",
    "envoy.filters.http.jwt_authn",
    "envoy.filters.http.rbac.token",
    "envoy.filters.http.local_ratelimit.token",
    "envoy.filters.http.ratelimit.token",
    "envoy.filters.http.local_ratelimit.reported",
    "envoy.filters.http.compressor.gzip",
    "envoy.filters.http.compressor.brotli",
    "envoy.filters.http.compressor.zstd",
    "envoy.filters.http.buffer",
    "envoy.filters.http.header_mutation.reads",
    "envoy.filters.http.router",
  ]);
  expect(filters.at(-3)?.typed_config).toMatchObject({ max_request_bytes: 1048576 });
  expect(filters.at(-1)?.typed_config).toMatchObject({ suppress_envoy_headers: true });
});

test("edge > two Host or two Authorization headers are refused before anything else is looked at", () => {
  const [first] = connectionManager().http_filters as { typed_config: Fields }[];
  expect(first?.typed_config).toMatchObject({
    rules: {
      action: "DENY",
      policies: {
        malformed: {
          permissions: [
            { header: { name: ":authority", invert_match: true } },
            {
              and_rules: {
                rules: [
                  { header: { name: "authorization", string_match: { contains: "," } } },
                  { header: { name: "authorization" } },
                ],
              },
            },
          ],
          principals: [{ any: true }],
        },
      },
    },
  });
});

test("edge > requests are numbered by Envoy, and the version of Envoy is not told", () => {
  expect(connectionManager()).toMatchObject({
    server_name: "portico",
    generate_request_id: true,
    always_set_request_id_in_response: true,
  });
  expect(connectionManager()).not.toHaveProperty("preserve_external_request_id");
});

test("edge > the access log has neither path nor token: a path may hold a patient's id", () => {
  const logged = JSON.stringify(connectionManager().access_log);
  expect(logged).toContain("%ROUTE_NAME%");
  expect(logged).not.toMatch(/REQ\(:PATH|AUTHORIZATION|COOKIE|REFERER|PATH\(/i);
});

test("edge > the first filter refuses the methods that nobody serves", () => {
  const [first] = connectionManager().http_filters as { typed_config: Fields }[];
  expect(first?.typed_config).toMatchObject({
    rules: {
      action: "DENY",
      policies: {
        "other-method": {
          permissions: [
            {
              header: {
                name: ":method",
                invert_match: true,
                string_match: { safe_regex: { regex: "GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS" } },
              },
            },
          ],
        },
      },
    },
  });
});

test("edge > the process is bounded, and its admin interface is on loopback only", () => {
  const files = { listenersFile: "/envoy/listeners.json", clustersFile: "/envoy/clusters.json" };
  const sharedLimitsSocket = "/envoy/shared-limits.sock";
  expect(bootstrap({ adminPort: 8107, sharedLimitsSocket, ...files })).toMatchObject({
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: 8107 } } },
    dynamic_resources: {
      lds_config: { path_config_source: { path: files.listenersFile } },
      cds_config: { path_config_source: { path: files.clustersFile } },
    },
    layered_runtime: {
      layers: [
        {
          static_layer: {
            "overload.premature_reset_total_stream_count": 100,
            "overload.premature_reset_min_stream_lifetime_seconds": 1,
            "re2.max_program_size.error_level": 100_000,
            "re2.max_program_size.warn_level": 100_000,
          },
        },
        { admin_layer: {} },
      ],
    },
    overload_manager: {
      resource_monitors: [
        { typed_config: { max_heap_size_bytes: 402653184 } },
        { typed_config: { max_active_downstream_connections: 50000 } },
      ],
      actions: [
        { name: "envoy.overload_actions.shrink_heap", triggers: [{ threshold: { value: 0.95 } }] },
        {
          name: "envoy.overload_actions.stop_accepting_requests",
          triggers: [{ threshold: { value: 0.98 } }],
        },
      ],
    },
  });
});

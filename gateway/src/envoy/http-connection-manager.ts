import type { Listener } from "../model/model.ts";
import { accessLog } from "./access-log.ts";
import { clientAddressAlone, clientIdentity } from "./client-identity.ts";
import { compressors } from "./compression.ts";
import { cors } from "./cors.ts";
import { EDGE_LIMITS, type EdgeLimits } from "./edge-limits.ts";
import {
  type EnvoyResource,
  extension,
  fileSource,
  type Json,
  type Surroundings,
  typed,
} from "./envoy-config.ts";
import { jwtAuthn } from "./jwt-authn.ts";
import { localReplies } from "./local-replies.ts";
import { rateLimit } from "./rate-limit.ts";
import { readsAgain } from "./retries.ts";
import { sharedRateLimit } from "./shared-rate-limit.ts";
import { noUpgrades } from "./streaming.ts";
import { tokenDemands } from "./token-demands.ts";
import { tracing } from "./tracing.ts";
import { refuseMalformed } from "./well-formed.ts";

/**
 * Everything between a client's bytes and a route, with the settings of Envoy's edge best practices:
 * its defaults are for a trusted network.
 */
export function httpConnectionManager(
  listener: Listener,
  routesFile: string,
  { trustedHops = 0, limits = EDGE_LIMITS }: Pick<Surroundings, "trustedHops" | "limits"> = {},
): EnvoyResource {
  return typed(
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    {
      stat_prefix: listener.name,
      rds: { route_config_name: listener.name, config_source: fileSource(routesFile) },
      http_filters: [
        refuseMalformed(),
        ...(trustedHops > 0 ? [clientAddressAlone()] : []),
        whereAsked(cors()),
        whereAsked(rateLimit("early")),
        whereAsked(sharedRateLimit("early")),
        jwtAuthn(listener.tokenIssuer, listener.unmatched),
        whereAsked(tokenDemands()),
        whereAsked(rateLimit("token")),
        whereAsked(sharedRateLimit("token")),
        whereAsked(rateLimit("reported")),
        ...compressors(),
        bodyLimit(),
        readsAgain(),
        router(),
      ],
      upgrade_configs: noUpgrades,

      ...clientIdentity(trustedHops),
      ...pathHandling(),
      ...bounds(limits),

      server_name: "portico",
      generate_request_id: true,
      always_set_request_id_in_response: true,
      request_id_extension: {
        typed_config: typed("envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig", {
          pack_trace_reason: false,
        }),
      },
      tracing: tracing(),
      access_log: [accessLog()],
      local_reply_config: localReplies(),
    },
  );
}

/**
 * In the chain of a request only when its route has something to say to it: the rest pays nothing, and
 * a listener never changes, which would end its connections, because a policy has come.
 */
function whereAsked(filter: Json): Json {
  return { ...(filter as { readonly [field: string]: Json }), disabled: true };
}

/** One spelling for each path, so that a rule on it cannot be walked around. */
function pathHandling() {
  return {
    normalize_path: true,
    merge_slashes: true,
    path_with_escaped_slashes_action: "REJECT_REQUEST",
  };
}

function bounds({ headersMs, requestMs }: EdgeLimits) {
  return {
    // Node refuses a request whose headers are over 16 KiB; ours is the answer people should see.
    max_request_headers_kb: 12,
    request_headers_timeout: `${headersMs / 1000}s`,
    request_timeout: `${requestMs / 1000}s`,
    stream_idle_timeout: "300s",
    common_http_protocol_options: {
      idle_timeout: "900s",
      max_headers_count: 100,
      headers_with_underscores_action: "REJECT_REQUEST",
    },
    // Not to let them through, but to answer them: see well-formed.ts.
    http_protocol_options: { allow_custom_methods: true },
    http2_protocol_options: {
      max_concurrent_streams: 100,
      initial_stream_window_size: 64 * 1024,
      initial_connection_window_size: 1024 * 1024,
    },
  };
}

const MAX_BODY_BYTES = 1024 * 1024;

/**
 * The whole body is held here before a service sees it: a slow client costs Envoy a buffer and
 * the service nothing. After jwt_authn, so that nobody without a token fills buffers.
 */
function bodyLimit(): Json {
  return extension("envoy.filters.http.buffer", "envoy.extensions.filters.http.buffer.v3.Buffer", {
    max_request_bytes: MAX_BODY_BYTES,
  });
}

function router(): Json {
  return extension("envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router", {
    suppress_envoy_headers: true,
  });
}

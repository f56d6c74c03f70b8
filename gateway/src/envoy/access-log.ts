import { extension, type Json } from "./envoy-config.ts";
import { WOULD_LIMIT } from "./rate-limit.ts";
import { REFUSED_BY } from "./shared-rate-limit.ts";

/**
 * One JSON line per request, by the name of its route: a path may hold the id of a patient, a query or
 * a header a secret, so none of them is in it. `traceId` and `requestId` join it to the service's line.
 */
export function accessLog(): Json {
  return extension(
    "envoy.access_loggers.stdout",
    "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
    {
      log_format: {
        json_format: {
          time: "%START_TIME%",
          level: "info",
          service: "envoy",
          event: "request.handled",
          method: "%REQ(:METHOD)%",
          route: "%ROUTE_NAME%",
          status: "%RESPONSE_CODE%",
          details: "%RESPONSE_CODE_DETAILS%",
          flags: "%RESPONSE_FLAGS%",
          durationMs: "%DURATION%",
          requestBytes: "%BYTES_RECEIVED%",
          responseBytes: "%BYTES_SENT%",
          upstream: "%UPSTREAM_CLUSTER%",
          upstreamHost: "%UPSTREAM_HOST%",
          // The rule of a policy in report mode that would have refused this request.
          wouldRefuse:
            "%DYNAMIC_METADATA(envoy.filters.http.rbac:reported_shadow_effective_policy_id)%",
          wouldLimit: `%REQ(${WOULD_LIMIT})%`,
          // The limit that Envoys keep together and that this request was over.
          limit: `%DYNAMIC_METADATA(${REFUSED_BY})%`,
          traceId: "%TRACE_ID%",
          requestId: "%REQ(X-REQUEST-ID)%",
        },
      },
    },
  );
}

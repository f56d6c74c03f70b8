import { extension, type Json, typed } from "./envoy-config.ts";

/**
 * W3C trace context: a client's `traceparent` is continued, otherwise a trace is started, and the
 * service is always told. Envoy wants an exporter before it passes a context on, so one is named;
 * there is no such cluster yet, and with nothing sampled nothing is ever sent to it.
 */
const COLLECTOR = "opentelemetry_collector";
const SAMPLED_PERCENT = 0;

export function tracing(): Json {
  return {
    provider: extension(
      "envoy.tracers.opentelemetry",
      "envoy.config.trace.v3.OpenTelemetryConfig",
      {
        service_name: "envoy",
        http_service: {
          http_uri: { uri: `http://${COLLECTOR}/v1/traces`, cluster: COLLECTOR, timeout: "1s" },
        },
        sampler: {
          name: "envoy.tracers.opentelemetry.samplers.trace_id_ratio_based",
          typed_config: typed(
            "envoy.extensions.tracers.opentelemetry.samplers.v3.TraceIdRatioBasedSamplerConfig",
            { sampling_percentage: { numerator: SAMPLED_PERCENT, denominator: "HUNDRED" } },
          ),
        },
      },
    ),
  };
}

/**
 * Prometheus metrics of one process: request rate, errors and duration for each route template, and
 * Node's own (event-loop lag, heap, handles). Labels are of low cardinality: never an id.
 */
import { collectDefaultMetrics, Histogram, Registry } from "prom-client";

export type HttpMetrics = {
  observe(method: string, route: string, status: number, seconds: number): void;
};

export type Metrics = HttpMetrics & {
  /** For a service's own counters and gauges. */
  registry: Registry;
};

export function createMetrics(service: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  const duration = new Histogram({
    name: "http_request_duration_seconds",
    help: "Time from a request's arrival to the end of its answer.",
    labelNames: ["method", "route", "status"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  return {
    registry,
    observe: (method, route, status, seconds) =>
      duration.observe({ method, route, status: String(status) }, seconds),
  };
}

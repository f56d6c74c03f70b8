import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Verdict } from "./model/verdict.ts";
import type { Reception } from "./publish/handover.ts";
import type { SharedLimitsMetrics } from "./shared-limits/shared-limits.ts";

/** What the controller counts. */
export interface Metrics extends SharedLimitsMetrics {
  rebuilt(seconds: number, refused: readonly Verdict[]): void;
  received(reception: Pick<Reception, "written" | "refused">): void;
  /** The text of `/metrics`. */
  expose(): Promise<string>;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const rebuildSeconds = new Histogram({
    name: "gateway_rebuild_seconds",
    help: "Time from listing the objects to a configuration, without writing it",
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
    registers,
  });
  const rejectedObjects = new Gauge({
    name: "gateway_rejected_objects",
    help: "Objects that are left out now, or have a broken reference",
    labelNames: ["kind"],
    registers,
  });
  const versions = new Counter({
    name: "gateway_versions_published_total",
    help: "Versions of the configuration handed to Envoy",
    registers,
  });
  const fileWrites = new Counter({
    name: "gateway_envoy_file_writes_total",
    help: "Files renamed into place for Envoy",
    labelNames: ["resource"],
    registers,
  });
  const refusedFiles = new Gauge({
    name: "gateway_refused_files",
    help: "Files that Envoy refuses now, and so has in their last good version",
    registers,
  });
  const decisions = new Counter({
    name: "gateway_shared_limit_decisions_total",
    help: "Requests counted in a limit that all Envoys keep: allowed, refused, reported, or unavailable: each Envoy kept it for itself",
    labelNames: ["limit", "decision"],
    registers,
  });
  const answerSeconds = new Histogram({
    name: "gateway_shared_limits_redis_seconds",
    help: "Time that Redis took to count a request",
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.04],
    registers,
  });
  const isShared = new Gauge({
    name: "gateway_shared_limits_available",
    help: "1 while Redis counts; 0 while each Envoy keeps the limits for itself",
    registers: [],
  });
  new Gauge({
    name: "process_resident_memory_bytes",
    help: "Resident memory of the controller",
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });

  return {
    rebuilt(seconds, refused) {
      rebuildSeconds.observe(seconds);
      rejectedObjects.reset();
      for (const [kind, verdicts] of Map.groupBy(refused, ({ object }) => object.kind)) {
        const names = verdicts.map(({ object }) => `${object.namespace}/${object.name}`);
        rejectedObjects.set({ kind }, new Set(names).size);
      }
    },
    received({ written, refused }) {
      refusedFiles.set(refused.length);
      if (written.length > 0) {
        versions.inc();
      }
      for (const { kind } of written) {
        fileWrites.inc({ resource: kind });
      }
    },
    sharedLimitDecided(limit, decision) {
      decisions.inc({ limit, decision });
    },
    sharedLimitsAsked(seconds) {
      answerSeconds.observe(seconds);
    },
    sharedLimitsAvailable(isAvailable) {
      // Shown only where there is a Redis to be away.
      registry.registerMetric(isShared);
      isShared.set(Number(isAvailable));
    },
    expose: () => registry.metrics(),
  };
}

import type { EnvoyConfig, ResourceKind } from "./envoy/envoy-config.ts";
import { translate } from "./envoy/translate.ts";
import { type Logger, messageOf } from "./logger.ts";
import type { Metrics } from "./metrics.ts";
import { buildModel } from "./model/build-model.ts";
import { isRefused } from "./model/verdict.ts";
import type { Publisher } from "./publish/publisher.ts";
import type { ObjectSource } from "./snapshot/object-source.ts";
import { takeSnapshot } from "./snapshot/snapshot.ts";
import type { StatusBoard } from "./status/status-board.ts";

/**
 * Watch, wait for quiet, rebuild, publish. Whatever fails on the way, the last good configuration
 * stays where Envoy reads it and the next change, or the retry, tries again.
 */
export interface Controller {
  start(): Promise<void>;
  /** True once a version has been published. */
  isReady(): boolean;
  stop(): Promise<void>;
}

export interface ControllerParts {
  readonly source: ObjectSource;
  readonly publisher: Publisher;
  readonly status: StatusBoard;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly namespace: string;
  readonly envoyHost: string;
}

/** A save is several events; a rollout hundreds. Rebuild once they pause, or at last after a while. */
const QUIET_MS = 25;
const LONGEST_WAIT_MS = 250;
const RETRY_MS = 1000;

export function createController(parts: ControllerParts): Controller {
  let timer: NodeJS.Timeout | undefined;
  let waitingSince: number | undefined;
  let running: Promise<void> = Promise.resolve();
  let isReady = false;
  let isStopped = false;

  function rebuildSoon() {
    if (isStopped) {
      return;
    }
    waitingSince ??= performance.now();
    const left = LONGEST_WAIT_MS - (performance.now() - waitingSince);
    clearTimeout(timer);
    timer = setTimeout(rebuildNow, Math.max(0, Math.min(QUIET_MS, left)));
  }

  function rebuildNow() {
    waitingSince = undefined;
    running = running.then(rebuild);
    return running;
  }

  async function rebuild() {
    try {
      await rebuildAndPublish(parts);
      isReady = true;
    } catch (error) {
      parts.logger.error("version.failed", { message: messageOf(error) });
      waitingSince = performance.now();
      timer = setTimeout(rebuildNow, RETRY_MS);
    }
  }

  return {
    async start() {
      await parts.publisher.prepare();
      parts.source.watch(rebuildSoon);
      await rebuildNow();
    },
    isReady: () => isReady,
    async stop() {
      isStopped = true;
      parts.source.stop();
      await running;
      clearTimeout(timer);
    },
  };
}

async function rebuildAndPublish(parts: ControllerParts) {
  const started = performance.now();
  const listing = await parts.source.list();
  const model = buildModel(takeSnapshot(listing, parts.namespace));
  const config: EnvoyConfig = translate(model, {
    host: parts.envoyHost,
    fileOf: parts.publisher.fileOf,
  });
  const rebuildSeconds = (performance.now() - started) / 1000;
  const written = await parts.publisher.publish(config);

  parts.status.report(model.verdicts);
  parts.metrics.rebuilt(rebuildSeconds, model.verdicts.filter(isRefused));
  if (written.length > 0) {
    parts.metrics.published(written);
    logVersion(parts.logger, config, written, performance.now() - started);
  }
}

function logVersion(
  logger: Logger,
  config: EnvoyConfig,
  written: readonly ResourceKind[],
  durationMs: number,
) {
  logger.info("version.published", {
    files: written.length,
    kinds: [...new Set(written)],
    listeners: config.listeners.size,
    clusters: config.clusters.size,
    durationMs: Math.round(durationMs),
  });
}

import type { EdgeLimits } from "./envoy/edge-limits.ts";
import { createTranslator } from "./envoy/translate.ts";
import { type Logger, messageOf } from "./logger.ts";
import type { Metrics } from "./metrics.ts";
import { createModelBuilder } from "./model/build-model.ts";
import { type SocketPortOf, samePort } from "./model/gateways.ts";
import type { Listener, Model } from "./model/model.ts";
import { type Address, isRefused, type Verdict } from "./model/verdict.ts";
import type { Handover, Reception } from "./publish/handover.ts";
import type { ObjectSource } from "./snapshot/object-source.ts";
import { type Snapshot, takeSnapshot } from "./snapshot/snapshot.ts";
import { asProgrammed } from "./status/programmed.ts";

/**
 * Watch, wait for quiet, rebuild, publish. Whatever fails on the way, the last good configuration
 * stays where Envoy reads it and the next change, or the retry, tries again.
 */
export interface Controller {
  start(): Promise<void>;
  /** True once a version has been published. */
  isReady(): boolean;
  /** What is told of the objects may be different, though they are not: an address, for one. */
  reportSoon(): void;
  stop(): Promise<void>;
}

export interface ControllerParts {
  readonly source: ObjectSource;
  readonly handover: Handover;
  /** Told of every object what became of it. */
  readonly boards: readonly { report(verdicts: readonly Verdict[]): void }[];
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly namespace: string;
  readonly envoyHost: string;
  /** Proxies of ours in front of Envoy; none when absent. */
  readonly trustedHops?: number;
  /** Of what clients may take; the usual ones when absent. */
  readonly limits?: EdgeLimits;
  /** False: there is no Redis in which replicas count together. */
  readonly sharesLimits?: boolean;
  /** Where Gateways have addresses of their own. */
  readonly addressing?: Addressing;
}

export interface Addressing {
  readonly socketPortOf: SocketPortOf;
  provide(listeners: readonly Listener[], snapshot: Snapshot): void;
  addressesOf(gateway: string): readonly Address[];
}

/** A change alone is carried out at once; what comes with it in the same moment goes with it. */
const MOMENT_MS = 2;
/** In a rollout of hundreds, half of the time is for other work: as long a pause as the last rebuild took. */
const LONGEST_PAUSE_MS = 250;
const RETRY_MS = 1000;

export function createController(parts: ControllerParts): Controller {
  let timer: NodeJS.Timeout | undefined;
  let isChangeWaiting = false;
  let pausedUntil = 0;
  let running: Promise<void> = Promise.resolve();
  let isReady = false;
  let isStopped = false;
  let told: Told | undefined;
  const rebuildAndPublish = createRebuild(parts);

  function rebuildSoon() {
    if (isStopped || isChangeWaiting) {
      return;
    }
    isChangeWaiting = true;
    clearTimeout(timer);
    timer = setTimeout(rebuildNow, Math.max(MOMENT_MS, pausedUntil - performance.now()));
  }

  function rebuildNow() {
    running = running.then(rebuild);
    return running;
  }

  async function rebuild() {
    const started = performance.now();
    isChangeWaiting = false;
    try {
      told = await rebuildAndPublish();
      isReady = true;
      report(told);
    } catch (error) {
      parts.logger.error("version.failed", { message: messageOf(error) });
      retry(rebuildNow);
    }
    const now = performance.now();
    pausedUntil = now + Math.min(LONGEST_PAUSE_MS, now - started);
  }

  function retry(what: () => void) {
    if (!isStopped && !isChangeWaiting) {
      clearTimeout(timer);
      timer = setTimeout(what, RETRY_MS);
    }
  }

  /** Envoy may be starting, or slow: what it has not said yet is asked again, and told. */
  function askAgain() {
    running = running.then(async () => {
      if (told) {
        told = { ...told, reception: await parts.handover.ask() };
        report(told);
      }
    });
  }

  function report(what: Told) {
    reportTo(parts, what);
    if (what.reception.pending.length > 0) {
      retry(askAgain);
    }
  }

  return {
    async start() {
      await parts.handover.prepare();
      parts.source.watch(rebuildSoon);
      await rebuildNow();
    },
    isReady: () => isReady,
    reportSoon() {
      running = running.then(() => told && reportTo(parts, told));
    },
    async stop() {
      isStopped = true;
      parts.source.stop();
      await running;
      clearTimeout(timer);
    },
  };
}

interface Told {
  readonly model: Model;
  readonly reception: Reception;
}

/** Remembers what it has built, so that each time only what has changed is built anew. */
function createRebuild(parts: ControllerParts): () => Promise<Told> {
  const { source, namespace, addressing, sharesLimits, handover, metrics, logger } = parts;
  const translate = createTranslator({
    ...{ host: parts.envoyHost, trustedHops: parts.trustedHops, limits: parts.limits },
    fileOf: handover.fileOf,
  });
  const build = createModelBuilder(addressing?.socketPortOf ?? samePort, sharesLimits);
  let snapshot: Snapshot | undefined;

  return async () => {
    const started = performance.now();
    snapshot = takeSnapshot(await source.list(), namespace, snapshot);
    const model = build(snapshot);
    const config = translate(model);
    const rebuildSeconds = (performance.now() - started) / 1000;
    const reception = await handover.publish(config);

    addressing?.provide(model.listeners, snapshot);
    metrics.rebuilt(rebuildSeconds, model.verdicts.filter(isRefused));
    metrics.received(reception);
    logReception(logger, reception, performance.now() - started);
    return { model, reception };
  };
}

function reportTo({ boards, addressing }: ControllerParts, { model, reception }: Told) {
  const { listeners } = model;
  const facts = { reception, listeners, addressesOf: addressing?.addressesOf };
  const verdicts = asProgrammed(model.verdicts, facts);
  for (const board of boards) {
    board.report(verdicts);
  }
}

function logReception(logger: Logger, { written, refused }: Reception, durationMs: number) {
  if (written.length > 0) {
    logger.info("version.published", {
      files: written.length,
      kinds: [...new Set(written.map(({ kind }) => kind))],
      durationMs: Math.round(durationMs),
    });
  }
  for (const { kind, name, message } of refused) {
    logger.error("version.refused", { kind, name, message });
  }
}

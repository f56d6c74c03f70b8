/**
 * The last line of every `main.ts`: listen on both ports, and end cleanly on a signal.
 */
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createHealth, type ReadinessCheck } from "./health.ts";
import type { Logger } from "./logger.ts";
import type { Metrics } from "./metrics.ts";
import { logCrash, stop, stopOnSignal } from "./stop.ts";

export type Service = {
  app: RequestListener;
  config: { host: string; port: number; opsPort: number; drainMs: number; graceMs?: number };
  metrics: Metrics;
  logger: Logger;
  /** Dependency name -> check, for `/readyz`. */
  checks: Record<string, ReadinessCheck>;
  closers: readonly (() => Promise<unknown>)[];
  /** Path -> handler, beside those of the operations port. */
  operations?: Record<string, RequestListener>;
  /** A stop begins: end what is made to wait, so that it does not hold the stop up. */
  drain?(): void;
};

export type Serving = { port: number; opsPort: number; stop(): Promise<void> };

/** Resolves when both ports accept connections; port 0 picks a free one. */
export async function serve(service: Service): Promise<Serving> {
  const { config, logger } = service;
  const health = createHealth(service.metrics.registry, service.checks, service.operations);
  const api = createServer(
    {
      // Longer than the gateway keeps an idle connection, so that it is never the service that
      // closes one which the gateway is about to use.
      keepAliveTimeout: 75_000,
      headersTimeout: 20_000,
      requestTimeout: 60_000,
      // By default the first of two Authorization headers counts, and a proxy may have read the second.
      joinDuplicateHeaders: true,
    },
    service.app,
  );
  const stoppable = {
    servers: [api, health.server],
    drain() {
      health.drain();
      service.drain?.();
    },
    drainMs: config.drainMs,
    graceMs: config.graceMs,
    closers: service.closers,
    logger,
  };
  // In this order, so that whoever finds us ready finds us listening.
  const port = await listen(api, config.port, config.host);
  const opsPort = await listen(health.server, config.opsPort, config.host);
  stopOnSignal(stoppable);
  logCrash(logger);
  logger.info("service.listening", { host: config.host, port, opsPort });
  return { port, opsPort, stop: () => stop(stoppable) };
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  server.listen(port, host);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

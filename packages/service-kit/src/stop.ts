/**
 * A clean end on SIGTERM or SIGINT: readiness fails first, requests in flight finish, then
 * connections close. Whatever hangs is cut after its time, so a stop always ends.
 */
import { once } from "node:events";
import type { Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "./logger.ts";

export type Stoppable = {
  /** Closed one after the other; the first is the one that clients ask. */
  servers: readonly Server[];
  /** Makes readiness fail. */
  drain(): void;
  /**
   * Milliseconds, at most, between that and refusing connections: what routers need to notice. It ends
   * when nobody has asked for a second.
   */
  drainMs: number;
  /** Milliseconds that requests in flight get to finish; 20 s unless said otherwise. */
  graceMs?: number;
  /** In order, after the last request: consumers, stores. */
  closers: readonly (() => Promise<unknown>)[];
  logger: Logger;
};

const closeMs = 5_000;

export async function stop(stoppable: Stoppable): Promise<void> {
  const { servers, closers, logger, graceMs = 20_000 } = stoppable;
  stoppable.drain();
  for (const server of servers) letClientsGo(server);
  await untilNobodyAsks(servers[0], stoppable.drainMs);
  for (const server of servers) await closeServer(server, graceMs);
  for (const close of closers) {
    await closeWithin(close, closeMs).catch((error) => logger.warn("close.failed", { error }));
  }
  logger.info("service.stopped");
}

/**
 * A connection that is kept busy would bring work for as long as its client likes, and one that is
 * cut between two requests may cut the second. So each is closed with its next answer.
 */
function letClientsGo(server: Server): void {
  server.prependListener("request", (_request, response) => {
    response.shouldKeepAlive = false;
  });
}

const quietMs = 1_000;

async function untilNobodyAsks(server: Server | undefined, mostMs: number): Promise<void> {
  const deadline = performance.now() + mostMs;
  let askedAt = performance.now();
  server?.on("request", () => {
    askedAt = performance.now();
  });
  for (;;) {
    const now = performance.now();
    const leftMs = Math.min(deadline, askedAt + quietMs) - now;
    if (leftMs <= 0) return;
    await sleep(leftMs);
  }
}

async function closeServer(server: Server, graceMs: number): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, "close");
  server.close();
  // A kept-alive connection that is between two requests would hold the server open.
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  const late = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(idle);
  clearTimeout(late);
}

async function closeWithin(close: () => Promise<unknown>, ms: number): Promise<void> {
  const late = new AbortController();
  const expired = sleep(ms, undefined, { signal: late.signal }).then(() => {
    throw new Error(`Not closed within ${ms} ms.`);
  });
  await Promise.race([close(), expired]).finally(() => {
    expired.catch(() => undefined);
    late.abort();
  });
}

/** Stops once on the first signal; a second one of its kind ends the process at once. */
export function stopOnSignal(stoppable: Stoppable): void {
  let stopping = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      if (stopping) process.exit(1);
      stopping = true;
      stoppable.logger.info("service.stopping", { signal });
      stop(stoppable).then(() => process.exit(0));
    });
  }
}

/** What nobody caught ends the process, as it would without us, but is read like any other line. */
export function logCrash(logger: Logger): void {
  process.once("uncaughtException", (error) => {
    logger.error("process.crashed", { error });
    process.exit(1);
  });
}

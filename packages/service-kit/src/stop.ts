/**
 * A clean end on SIGTERM or SIGINT: readiness fails first, requests in flight finish, then
 * connections close. Whatever hangs is cut after the grace period, so a stop always ends.
 */
import { once } from "node:events";
import type { Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "./logger.ts";

export type Stoppable = {
  servers: readonly Server[];
  /** Makes readiness fail. */
  drain(): void;
  /** Milliseconds between that and refusing connections: what routers need to notice. */
  drainMs: number;
  /** Milliseconds that requests in flight get to finish. */
  graceMs?: number;
  /** In order, after the last request: consumers, stores. */
  closers: readonly (() => Promise<unknown>)[];
  logger: Logger;
};

export async function stop(stoppable: Stoppable): Promise<void> {
  stoppable.drain();
  await sleep(stoppable.drainMs);
  await Promise.all(
    stoppable.servers.map((server) => closeServer(server, stoppable.graceMs ?? 10_000)),
  );
  for (const close of stoppable.closers) {
    await close().catch((error) => stoppable.logger.warn("close.failed", { error }));
  }
  stoppable.logger.info("service.stopped");
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

/** Stops once on the first signal; a second signal ends the process at once. */
export function stopOnSignal(stoppable: Stoppable): void {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      stoppable.logger.info("service.stopping", { signal });
      stop(stoppable).then(() => process.exit(0));
    });
  }
}

/**
 * Keeps the list of revocations complete by long polls at the issuer's operations port: one request is
 * always waiting there, and answered as soon as something is revoked. Each answer carries a cursor for
 * the next poll; a cursor that the issuer does not know (it was started again, it is another instance)
 * is answered with the whole list. See docs/decisions/0008-revocation.md.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Gauge } from "prom-client";
import { z } from "zod";
import type { ReadinessCheck } from "./health.ts";
import type { Logger } from "./logger.ts";
import type { Metrics } from "./metrics.ts";
import { createOneConnection } from "./one-connection.ts";
import {
  createRevocationList,
  Revocation,
  type RevocationList,
  type Revocations,
} from "./revocations.ts";

export type FollowedRevocations = Revocations & {
  ageMs(): number;
  /** For `/readyz`: fails until the list is there, and when it is too old to let anybody in. */
  check: ReadinessCheck;
  stop(): Promise<void>;
};

/** How long a poll waits: a connection that died without a word is noticed this much later. */
const longestWaitMs = 5_000;
/** What an answer may take beyond that. */
const answerMs = 3_000;
const shortestPauseMs = 50;
/** Half of the second within which a revocation is to be known, once the issuer is there again. */
const longestPauseMs = 500;

const Answer = z.object({ cursor: z.string(), revocations: z.array(z.unknown()) });

export function followRevocations(options: {
  url: string;
  logger: Logger;
  metrics: Pick<Metrics, "registry">;
  waitMs?: number;
}): FollowedRevocations {
  const { logger, waitMs = longestWaitMs } = options;
  const list = createRevocationList();
  const stopping = new AbortController();
  // A cursor is one instance's: with another one each time, every poll would be answered at once, with everything.
  const issuer = createOneConnection();
  let cursor = "";
  let failures = 0;
  measure(list, options.metrics);

  const poll = async () => {
    const url = new URL(options.url);
    url.searchParams.set("after", cursor);
    // After a failure it must be known soon that nothing was missed, not only when there is something.
    url.searchParams.set("waitMs", String(failures > 0 ? 0 : waitMs));
    const late = AbortSignal.timeout(waitMs + answerMs);
    const { status, body } = await issuer.get(url, AbortSignal.any([stopping.signal, late]));
    if (status !== 200) throw new Error(`Revocations were answered with ${status}.`);
    const answer = Answer.parse(body);
    list.add(answer.revocations.flatMap((entry) => understood(entry, logger)));
    list.markComplete();
    cursor = answer.cursor;
  };

  const succeed = () => {
    if (failures > 0) logger.info("revocations.recovered", { failures });
    failures = 0;
  };

  const fail = async (error: unknown) => {
    if (stopping.signal.aborted) return;
    failures += 1;
    // Whoever it leads to may never get better, where another instance is well.
    issuer.close();
    if (failures === 1) logger.warn("revocations.unreachable", { error });
    await sleep(pauseMs(failures), undefined, { signal: stopping.signal }).catch(() => undefined);
  };

  const run = async () => {
    while (!stopping.signal.aborted) await poll().then(succeed, fail);
  };
  const running = run();

  return Object.assign(list, {
    async check() {
      if (!list.isCurrent()) throw new Error("The revocations are not known.");
    },
    async stop() {
      stopping.abort();
      await running;
      issuer.close();
    },
  });
}

/** Grows with each failure; at random, so that many instances do not ask in step. */
const pauseMs = (failures: number): number =>
  Math.min(shortestPauseMs * 2 ** failures, longestPauseMs) * (0.5 + Math.random() / 2);

/** A kind that is newer than this service is left out: the others must still be known. */
function understood(entry: unknown, logger: Logger): Revocation[] {
  const parsed = Revocation.safeParse(entry);
  if (parsed.success) return [parsed.data];
  logger.warn("revocations.not-understood", { entry });
  return [];
}

function measure(list: RevocationList, { registry }: Pick<Metrics, "registry">): void {
  new Gauge({
    name: "revocations_age_seconds",
    help: "Time since the list of revoked access tokens was last known to be complete.",
    registers: [registry],
    collect() {
      this.set(list.ageMs() / 1000);
    },
  });
  new Gauge({
    name: "revocations_listed",
    help: "Revocations in the list.",
    registers: [registry],
    collect() {
      this.set(list.size());
    },
  });
}

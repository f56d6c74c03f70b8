import type { Logger } from "../logger.ts";

export type Loop = {
  /** Runs again at once, or right after the run under way; while runs fail, not before their pause is over. */
  wake(): void;
  /** Resolves when the run under way is over. */
  stop(): Promise<void>;
};

/** While `work` fails: the pause grows up to this, and a line is written no more often than that. */
const longestPauseMs = 3_000;
const quietMs = 10_000;

/**
 * Runs `work` every `everyMs`, at once when woken, and again without a pause while it answers true
 * ("there is more"). A failure is tried again after a pause, however much work waits: a store that
 * is away must not make us spin, or fill the log.
 */
export function repeat(
  work: () => Promise<boolean>,
  options: { everyMs: number; name: string; logger: Logger },
): Loop {
  const { everyMs, name, logger } = options;
  let stopped = false;
  let woken = false;
  let failures = 0;
  let loggedAt = Number.NEGATIVE_INFINITY;
  let wakeUp: () => void = () => undefined;

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const fail = (error: unknown) => {
    failures += 1;
    if (stopped || performance.now() - loggedAt < quietMs) return;
    loggedAt = performance.now();
    logger.warn(`${name}.failed`, { error, failures });
  };

  const succeed = () => {
    if (failures > 0) logger.info(`${name}.recovered`, { failures });
    failures = 0;
  };

  const attempt = () =>
    work().then(
      (more) => {
        succeed();
        return more;
      },
      (error) => {
        fail(error);
        return false;
      },
    );

  const run = async () => {
    while (!stopped) {
      woken = false;
      const more = await attempt();
      if (stopped) return;
      if (failures > 0) await pause(Math.min(everyMs * 2 ** (failures - 1), longestPauseMs));
      else if (!more && !woken) await pause(everyMs);
    }
  };
  const running = run();

  return {
    wake() {
      woken = true;
      if (failures === 0) wakeUp();
    },
    async stop() {
      stopped = true;
      wakeUp();
      await running;
    },
  };
}

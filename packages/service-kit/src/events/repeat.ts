import type { Logger } from "../logger.ts";

export type Loop = {
  /** Runs again at once, or right after the run under way. */
  wake(): void;
  /** Resolves when the run under way is over. */
  stop(): Promise<void>;
};

/**
 * Runs `work` every `everyMs`, at once when woken, and again without a pause while it answers true
 * ("there is more"). A failure is logged and tried again with the next round.
 */
export function repeat(
  work: () => Promise<boolean>,
  options: { everyMs: number; name: string; logger: Logger },
): Loop {
  let stopped = false;
  let woken = false;
  let wakeUp: () => void = () => undefined;

  const pause = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, options.everyMs);
      wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const attempt = () =>
    work().catch((error) => {
      if (!stopped) options.logger.warn(`${options.name}.failed`, { error });
      return false;
    });

  const run = async () => {
    while (!stopped) {
      woken = false;
      const more = await attempt();
      if (!more && !woken && !stopped) await pause();
    }
  };
  const running = run();

  return {
    wake() {
      woken = true;
      wakeUp();
    },
    async stop() {
      stopped = true;
      wakeUp();
      await running;
    },
  };
}

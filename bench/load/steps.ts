/**
 * Load whose next request depends on the last answer, or is another one each time: every connection
 * repeats a step of its own, to its end, so that no answer is lost when the time is over.
 */
import type { Contender } from "./in-turn.ts";
import { type Measured, summarise } from "./measured.ts";
import { closeIdleConnections } from "./send.ts";

/** Rejects when the answer is not what it must be. */
export type Step = () => Promise<unknown>;

/** @param steps one for each connection */
export const stepwise = (
  name: string,
  steps: readonly Step[],
  options: Pick<Contender, "warmUpSeconds"> = {},
): Contender => ({
  name,
  ...options,
  drive: ({ seconds }) => repeatSteps(steps, seconds),
});

async function repeatSteps(steps: readonly Step[], seconds: number): Promise<Measured> {
  const latenciesMs: number[] = [];
  const startedAt = performance.now();
  const endAt = startedAt + seconds * 1000;
  const repeat = async (step: Step) => {
    while (performance.now() < endAt) {
      const sentAt = performance.now();
      await step();
      latenciesMs.push(performance.now() - sentAt);
    }
  };
  try {
    await Promise.all(steps.map(repeat));
    return summarise(latenciesMs, (performance.now() - startedAt) / 1000);
  } finally {
    closeIdleConnections();
  }
}

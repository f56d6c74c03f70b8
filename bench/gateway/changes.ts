/** How long until a changed HTTPRoute is served: from when the API server has it to the first answer by it. */
import { Agent, get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { memoryOf } from "@portico/dev-env";
import type { Child } from "../child.ts";
import { type Measured, summarise } from "../load/measured.ts";
import { addressOf, type Shape, VERSION_HEADER } from "./cluster-objects.ts";

export interface ManyRoutes {
  readonly shape: Shape;
  readonly count: number;
}

/** One who serves them. */
export interface Served {
  readonly port: number;
  /** Resolves when the API server has this version of a route. */
  change(index: number, version: number): Promise<void>;
}

/** Asking more often would take from those who are measured what they need. */
const POLL_MS = 2;
/** Far from each other in any order, so that no route is changed twice in a run. */
const STEP = 7919;

/**
 * Changes routes one after the other.
 *
 * @param from the first version that no route has had yet
 * @param pauseMs so that each is a change alone, as a person makes it
 * @returns of each change, how long it took in milliseconds
 */
export async function timeChanges(
  { shape, count }: ManyRoutes,
  { port, change }: Served,
  { from, changes, pauseMs }: { from: number; changes: number; pauseMs: number },
): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const latenciesMs: number[] = [];
  try {
    for (let version = from; version < from + changes; version += 1) {
      const index = (version * STEP) % count;
      await change(index, version);
      const startedAt = performance.now();
      while ((await versionAt(agent, port, addressOf(shape, index))) !== version) {
        await sleep(POLL_MS);
      }
      latenciesMs.push(performance.now() - startedAt);
      await sleep(pauseMs);
    }
  } finally {
    agent.destroy();
  }
  return latenciesMs;
}

/** Whether the last of the routes is served, in whatever version. */
export async function isServed({ shape, count }: ManyRoutes, port: number): Promise<boolean> {
  const agent = new Agent();
  return (await versionAt(agent, port, addressOf(shape, count - 1))) >= 0;
}

/** The version that answers; -1 when nothing does. */
function versionAt(agent: Agent, port: number, { host, path }: { host?: string; path: string }) {
  return new Promise<number>((resolve, reject) => {
    const headers = host ? { host } : {};
    get({ host: "127.0.0.1", port, path, agent, headers }, (answer) => {
      answer.resume();
      const version = Number(answer.headers[VERSION_HEADER] ?? 0);
      answer.once("end", () => resolve(answer.statusCode === 200 ? version : -1));
    }).once("error", reject);
  });
}

/** What one who serves them has shown. */
export interface Outcome {
  readonly latenciesMs: readonly number[];
  /** That the controller has resident. */
  readonly mebibytes: number;
}

export const measuredOf = ({ latenciesMs }: Outcome): Measured =>
  summarise(latenciesMs, latenciesMs.reduce((sum, ms) => sum + ms, 0) / 1000);

export async function residentMebibytes({ pid }: Child): Promise<number> {
  return ((await memoryOf(pid))?.residentBytes ?? Number.NaN) / 2 ** 20;
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** How long until a changed HTTPRoute is served: from when the API server has it to the first answer by it. */
import { Agent, get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { memoryOf } from "@portico/dev-env";
import { type Child, waitUntil } from "../child.ts";
import { type Measured, summarise } from "../load/measured.ts";
import { addressOf, type Shape, VERSION_HEADER } from "./cluster-objects.ts";

export interface ManyRoutes {
  readonly shape: Shape;
  readonly count: number;
}

export const nameOf = ({ shape, count }: ManyRoutes): string =>
  `${count.toLocaleString("en")} routes, ${shape === "hosts" ? "each on a host of its own" : "one host"}`;

/** One who serves them: a controller, and an Envoy beside it. */
export interface RunningGateway extends AsyncDisposable {
  readonly controller: Child;
  /** Where Envoy listens for the Gateway's port. */
  readonly port: number;
}

export interface Changes {
  /** Resolves when the API server has this version of a route. */
  change(index: number, version: number): Promise<void>;
  /** The first version that no route has had yet. */
  readonly from: number;
  readonly changes: number;
  /** So that each is a change alone, as a person makes it. */
  readonly pauseMs: number;
}

/** What one who serves them has shown. */
export interface Outcome {
  /** Of each change. */
  readonly latenciesMs: readonly number[];
  /** That the controller has resident. */
  readonly mebibytes: number;
}

/** Asking more often would take from those who are measured what they need. */
const POLL_MS = 2;
/** Far from each other in any order, so that no route is changed twice in a run. */
const STEP = 7919;

/** Changes routes one after the other. */
export async function measureChanges(
  { shape, count }: ManyRoutes,
  { controller, port }: RunningGateway,
  { change, from, changes, pauseMs }: Changes,
): Promise<Outcome> {
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
  const residentBytes = (await memoryOf(controller.pid))?.residentBytes ?? Number.NaN;
  return { latenciesMs, mebibytes: residentBytes / 2 ** 20 };
}

/** Until the last of the routes is served, in whatever version. */
export async function untilServed(
  { shape, count }: ManyRoutes,
  { controller, port }: RunningGateway,
  withinMs: number,
): Promise<void> {
  const agent = new Agent();
  const isServed = async () => (await versionAt(agent, port, addressOf(shape, count - 1))) >= 0;
  await waitUntil(isServed, controller, withinMs);
}

/** The version that answers; -1 when nothing does. */
function versionAt(agent: Agent, port: number, { host, path }: { host?: string; path: string }) {
  return new Promise<number>((resolve, reject) => {
    const headers = host ? { host } : {};
    get({ host: "127.0.0.1", port, path, agent, headers }, (answer) => {
      answer.resume();
      const version = Number(answer.headers[VERSION_HEADER] ?? 0);
      answer.once("end", () => resolve(answer.statusCode === 200 ? version : -1));
    }).on("error", reject);
  });
}

export const measuredOf = ({ latenciesMs }: Outcome): Measured =>
  summarise(latenciesMs, latenciesMs.reduce((sum, ms) => sum + ms, 0) / 1000);

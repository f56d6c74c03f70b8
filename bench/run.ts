/**
 * `make bench`: figures as ratios, each pair measured in turn in one run, on this machine, with the load
 * generator beside it. Absolute numbers mean nothing elsewhere; ratios do.
 * BENCH_ROUNDS, BENCH_SECONDS and BENCH_CONNECTIONS make it longer, shorter, busier.
 */
import { availableParallelism } from "node:os";
import {
  createThrowawayFolder,
  removeThrowawayFolder,
  showProgress,
  startPlatform,
} from "@portico/dev-env";
import { generator } from "./load.ts";
import { type Effort, type Layer, measure } from "./measure.ts";
import { limitIndex, prepareUsersMe } from "./users-me.ts";

const aim = 0.35;

const effort: Effort = {
  connections: Number(process.env.BENCH_CONNECTIONS ?? 64),
  rounds: Number(process.env.BENCH_ROUNDS ?? 3),
  seconds: Number(process.env.BENCH_SECONDS ?? 5),
};

async function bench(): Promise<void> {
  const folder = await createThrowawayFolder();
  console.log("Starting a Portico of its own: free ports, throwaway data.");
  const platform = await startPlatform({ folder, ports: "free", progress: showProgress() });
  try {
    const { layers, stop } = await prepareUsersMe(platform.ready, folder);
    try {
      report(layers, await measure(layers, effort));
    } finally {
      stop();
    }
  } finally {
    await platform.stop();
    await removeThrowawayFolder(folder);
  }
}

/** A row a layer: its ratio to the limit, and how many microseconds a request it adds. */
function report(layers: readonly Layer[], figures: readonly number[]): void {
  const limit = figures[limitIndex] ?? Number.NaN;
  const { connections, rounds, seconds } = effort;
  console.log(`
GET /auth/users/me, through ${availableParallelism()} cores that everything shares
${generator}, ${connections} connections, median of ${rounds} rounds of ${seconds} s
`);
  console.log(row("", "of the limit", "adds"));
  for (const [index, { name }] of layers.entries()) {
    const own = figures[index] ?? Number.NaN;
    const before = figures[index - 1];
    const adds = before === undefined ? "" : `${Math.round(1e6 / own - 1e6 / before)} µs`;
    console.log(row(name, (own / limit).toFixed(2), adds));
  }
  const ratio = (figures.at(-1) ?? Number.NaN) / limit;
  console.log(`\n${ratio.toFixed(2)} of the limit; the aim is at least ${aim}.`);
}

const row = (name: string, ratio: string, adds: string): string =>
  `${name.padEnd(40)}${ratio.padStart(14)}${adds.padStart(12)}`;

await bench();

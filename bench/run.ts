/**
 * `make bench`: figures as ratios, each pair measured in turn in one run, on this machine, with the load
 * generator beside it. Absolute numbers mean nothing elsewhere; ratios do. README.md says what is what.
 */
import {
  createThrowawayFolder,
  Failure,
  removeThrowawayFolder,
  showProgress,
  startPlatform,
} from "@portico/dev-env";
import type { Bench, Comparison, Section } from "./comparison.ts";
import { comparisons } from "./comparisons/index.ts";
import type { Effort } from "./load/in-turn.ts";
import { printHead, printSection, printVerdicts } from "./print.ts";

const effort: Effort = {
  connections: Number(process.env.BENCH_CONNECTIONS ?? 64),
  rounds: Number(process.env.BENCH_ROUNDS ?? 3),
  seconds: Number(process.env.BENCH_SECONDS ?? 5),
};

async function bench(): Promise<void> {
  const chosen = choose(process.env.ROWS);
  const folder = await createThrowawayFolder();
  const progress = showProgress();
  console.log("Starting a Portico of its own: free ports, throwaway data.");
  const platform = await startPlatform({ folder, ports: "free", progress });
  try {
    printTable(await runAll(chosen, { platform, folder, effort, progress }));
  } finally {
    await platform.stop();
    await removeThrowawayFolder(folder);
  }
}

function choose(rows: string | undefined): readonly Comparison[] {
  if (!rows) return comparisons;
  return rows.split(",").map((row) => {
    const found = comparisons.find(({ name }) => name === row.trim());
    if (found) return found;
    const names = comparisons.map(({ name }) => name).join(", ");
    throw new Failure(`There is no row ${row.trim()}; there are ${names}.`);
  });
}

async function runAll(chosen: readonly Comparison[], bench: Bench): Promise<Section[]> {
  const sections: Section[] = [];
  for (const comparison of chosen) {
    console.log(`\n${comparison.name}`);
    try {
      const section = await comparison.run(bench);
      printSection(section);
      sections.push(section);
    } catch (error) {
      leaveOut(error);
    }
  }
  return sections;
}

/** What cannot be had on this machine is no failure; anything else is, and the other rows are measured still. */
function leaveOut(error: unknown): void {
  if (error instanceof Failure) {
    console.log(`  left out: ${error.message}`);
    return;
  }
  console.error("  failed:", error);
  process.exitCode = 1;
}

function printTable(sections: readonly Section[]): void {
  printHead(effort);
  for (const section of sections) printSection(section);
  console.log("\nWhat it has to show");
  printVerdicts(sections.flatMap(({ verdicts }) => verdicts.filter(({ bar }) => bar)));
}

try {
  await bench();
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

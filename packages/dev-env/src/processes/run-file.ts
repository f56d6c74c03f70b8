import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { identify, isAlive, type ProcessIdentity, signalProcess } from "./process-identity.ts";

/**
 * `run.json` says who runs in a folder: the supervisor and every process it started. It is the lock that keeps a second
 * supervisor away, and after a `kill -9` of the supervisor it is how the next one finds what was left behind.
 */
export interface Run {
  supervisor: ProcessIdentity;
  processes: (ProcessIdentity & { name: string })[];
}

const TERM_GRACE_MS = 5000;
const KILL_GRACE_MS = 2000;

export function readRun(folder: string): Run | undefined {
  try {
    return JSON.parse(readFileSync(runFile(folder), "utf8"));
  } catch {
    return undefined;
  }
}

/** The supervisor that holds the folder now, if there is one. */
export function findSupervisor(folder: string): ProcessIdentity | undefined {
  const supervisor = readRun(folder)?.supervisor;
  return supervisor && isAlive(supervisor) ? supervisor : undefined;
}

/** Takes the folder for this process. False when another live supervisor holds it. Call `endOrphans` first. */
export function takeRun(folder: string): boolean {
  mkdirSync(folder, { recursive: true });
  const mine = join(folder, `.run-${process.pid}.json`);
  writeFileSync(mine, JSON.stringify({ supervisor: self(), processes: [] } satisfies Run));
  try {
    // Unlike a rename, a link fails when the name is taken, so of two that start at once only one wins.
    linkSync(mine, runFile(folder));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Synchronous, so that no process runs unrecorded while this one can be killed between two ticks. */
export function recordProcesses(folder: string, processes: Run["processes"]): void {
  const next = join(folder, `.run-${process.pid}.json`);
  writeFileSync(next, JSON.stringify({ supervisor: self(), processes } satisfies Run, null, 2));
  renameSync(next, runFile(folder));
}

export function releaseRun(folder: string): void {
  rmSync(runFile(folder), { force: true });
}

/** Ends what a killed supervisor left behind; returns the names. Does nothing while the supervisor lives. */
export async function endOrphans(folder: string): Promise<string[]> {
  const run = readRun(folder);
  if (run && isAlive(run.supervisor)) return [];
  const orphans = (run?.processes ?? []).filter(isAlive);
  await endAll(orphans, "SIGTERM", TERM_GRACE_MS);
  await endAll(orphans, "SIGKILL", KILL_GRACE_MS);
  // Somebody else may have taken the folder meanwhile.
  if (!findSupervisor(folder)) releaseRun(folder);
  return orphans.map((orphan) => orphan.name);
}

async function endAll(orphans: ProcessIdentity[], signal: NodeJS.Signals, graceMs: number) {
  for (const orphan of orphans) signalProcess(orphan, signal);
  await waitUntilGone(orphans, graceMs);
}

/** Returns whether all of them ended in time. */
export async function waitUntilGone(processes: ProcessIdentity[], withinMs: number) {
  const deadline = performance.now() + withinMs;
  while (processes.some(isAlive)) {
    if (performance.now() > deadline) return false;
    await sleep(25);
  }
  return true;
}

function self(): ProcessIdentity {
  return identify(process.pid) ?? { pid: process.pid, startedAt: "" };
}

function runFile(folder: string): string {
  return join(folder, "run.json");
}

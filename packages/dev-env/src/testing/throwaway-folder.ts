import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endOrphans, findSupervisor, readRun } from "../processes/run-file.ts";

const PREFIX = "portico-test-";

/** A temporary folder. What earlier tests left behind because they were killed is ended and removed first. */
export async function createThrowawayFolder(): Promise<string> {
  await sweepAbandoned();
  return mkdtemp(join(tmpdir(), PREFIX));
}

export async function removeThrowawayFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

async function sweepAbandoned(): Promise<void> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(PREFIX));
  for (const name of names) {
    const folder = join(tmpdir(), name);
    if (!readRun(folder) || findSupervisor(folder)) continue;
    await endOrphans(folder);
    await removeThrowawayFolder(folder);
  }
}

import { readdir, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/** Where fetched programs are kept, for all clones and all runs of one person. */
export function cacheFolder(environment: NodeJS.ProcessEnv): string {
  return environment.PORTICO_CACHE || join(homedir(), ".cache", "portico");
}

/** A folder for one download of this process: what is whole is renamed out of it, the rest goes. */
export function downloadFolder(cache: string, name: string): string {
  return join(cache, `.download-${process.pid}-${name}`);
}

/** Removes the folders of downloads whose process was killed. */
export async function sweepAbandoned(cache: string): Promise<void> {
  const names = await readdir(cache).catch(() => []);
  for (const name of names) {
    const pid = /^\.download-(\d+)-/.exec(name)?.[1];
    if (!pid || isRunning(Number(pid))) continue;
    await rm(join(cache, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

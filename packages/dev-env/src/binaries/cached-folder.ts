import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { inStep, type Progress } from "../progress/progress.ts";
import { cacheFolder, downloadFolder, sweepAbandoned } from "./cache.ts";

export interface Contents {
  /** Of the folder, in the cache: names the version of what is in it as well. */
  name: string;
  /** For a person who waits. */
  what: string;
  /** @param temporary for what is needed on the way; removed in any case */
  fill(unfinished: string, temporary: string): Promise<void>;
}

/**
 * A folder of the cache, filled by the first who needs it. Only what was filled to the end is renamed into place, so
 * that a fetch that is killed half way leaves nothing that looks whole.
 */
export async function cachedFolder(contents: Contents, progress: Progress): Promise<string> {
  const cache = cacheFolder(process.env);
  const folder = join(cache, contents.name);
  if (existsSync(folder)) return folder;

  await sweepAbandoned(cache);
  const temporary = downloadFolder(cache, contents.name);
  const unfinished = join(temporary, "contents");
  await mkdir(unfinished, { recursive: true });
  try {
    await inStep(progress, `fetch ${contents.what}`, async () => {
      await contents.fill(unfinished, temporary);
      // Another run may have been quicker; its copy is as good.
      if (!existsSync(folder)) await rename(unfinished, folder);
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return folder;
}

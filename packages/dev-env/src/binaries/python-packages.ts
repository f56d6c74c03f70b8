import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { inStep, type Progress, showProgress } from "../progress/progress.ts";
import { cacheFolder, downloadFolder, sweepAbandoned } from "./cache.ts";
import { runPip } from "./pip.ts";

/**
 * Python packages that tests run against us (a provider's own client, a fuzzer), put in the cache once. `pip --target`
 * rather than a virtual environment: it needs no venv module and touches no other installation.
 * @param requirements pinned, `name==version`
 * @returns the value of `PYTHONPATH` under which `python3` finds them
 */
export async function pythonPackages(
  requirements: readonly string[],
  progress: Progress = showProgress(),
): Promise<string> {
  const what = requirements.join(", ");
  const hash = createHash("sha256").update(requirements.join("\n")).digest("hex").slice(0, 16);
  const cache = cacheFolder(process.env);
  const packages = join(cache, `python-${hash}`);
  if (existsSync(packages)) return packages;

  await sweepAbandoned(cache);
  const folder = downloadFolder(cache, `python-${hash}`);
  const unfinished = join(folder, "packages");
  await mkdir(unfinished, { recursive: true });
  try {
    await inStep(progress, `fetch ${what}`, async () => {
      const advice = "install it into your Python.";
      await runPip(["install", "--target", unfinished, ...requirements], { what, advice, folder });
      // Another run may have been quicker; its copy is as good.
      if (!existsSync(packages)) await rename(unfinished, packages);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return packages;
}

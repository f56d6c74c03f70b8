import { createHash } from "node:crypto";
import { access, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../failure.ts";
import { run } from "../processes/run.ts";
import { cacheFolder } from "./cache-folder.ts";

/**
 * Python packages that tests run against us (a provider's own client, a fuzzer), put in the cache once. `pip --target`
 * rather than a virtual environment: it needs no venv module and touches no other installation.
 * @param requirements pinned, `name==version`
 * @returns the value of `PYTHONPATH` under which `python3` finds them
 */
export async function pythonPackages(requirements: readonly string[]): Promise<string> {
  const name = createHash("sha256").update(requirements.join("\n")).digest("hex").slice(0, 16);
  const folder = join(cacheFolder(), "python", name);
  if (await exists(folder)) return folder;

  const unfinished = `${folder}.${process.pid}`;
  await mkdir(unfinished, { recursive: true });
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"];
  const { code, stderr } = await run("python3", [...pip, "--target", unfinished, ...requirements], {
    env: process.env,
  });
  if (code !== 0) {
    await rm(unfinished, { recursive: true, force: true });
    throw new Failure(`pip could not fetch ${requirements.join(", ")}: ${stderr.slice(-500)}`);
  }
  // Another test run may have been quicker; its copy is as good.
  await rename(unfinished, folder).catch(() => rm(unfinished, { recursive: true, force: true }));
  return folder;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

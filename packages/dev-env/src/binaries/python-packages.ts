import { createHash } from "node:crypto";
import { type Progress, showProgress } from "../progress/progress.ts";
import { cachedFolder } from "./cached-folder.ts";
import { runPip } from "./pip.ts";

/**
 * Python packages that run beside us (a provider's own client, a fuzzer, a peer in a benchmark), put in the cache once.
 * `pip --target` rather than a virtual environment: it needs no venv module and touches no other installation.
 * @param requirements pinned, `name==version`
 * @param what for a person who waits
 * @returns the value of `PYTHONPATH` under which `python3` finds them
 */
export function pythonPackages(
  requirements: readonly string[],
  progress: Progress = showProgress(),
  what = requirements.join(", "),
): Promise<string> {
  const hash = createHash("sha256").update(requirements.join("\n")).digest("hex").slice(0, 16);
  const advice = "install it into your Python.";
  return cachedFolder(
    {
      name: `python-${hash}`,
      what,
      fill: (unfinished, folder) =>
        runPip(["install", "--target", unfinished, ...requirements], { what, advice, folder }),
    },
    progress,
  );
}

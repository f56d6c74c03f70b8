import { readdir, rm } from "node:fs/promises";
import { platformFolder, runCommand } from "./commands/command.ts";
import { stopRunning } from "./commands/stop-running.ts";
import { showProgress } from "./progress/progress.ts";

/** `make reset`: stops Portico and removes its data, secrets and logs. Fetched binaries stay in the cache. */
await runCommand(async () => {
  console.log(await stopRunning(platformFolder, showProgress()));
  const names = await readdir(platformFolder).catch(() => []);
  await rm(platformFolder, { recursive: true, force: true });
  console.log(
    names.length > 0
      ? `Removed ${platformFolder}: ${names.sort().join(", ")}.`
      : "There is no data to remove.",
  );
});

import { platformFolder, runCommand } from "./commands/command.ts";
import { stopRunning } from "./commands/stop-running.ts";
import { showProgress } from "./progress/progress.ts";

/** `make down`: stops what `make up` started, from any terminal. */
await runCommand(async () => {
  console.log(await stopRunning(platformFolder, showProgress()));
});

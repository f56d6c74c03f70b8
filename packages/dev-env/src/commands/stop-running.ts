import { Failure } from "../failure.ts";
import { removeReady } from "../platform/ready.ts";
import { signalProcess } from "../processes/process-identity.ts";
import { endOrphans, findSupervisor, waitUntilGone } from "../processes/run-file.ts";
import { inStep, type Progress } from "../progress/progress.ts";

const STOP_WITHIN_MS = 40_000;

/** Stops what runs in the folder, from outside. Returns a line that says what was done. */
export async function stopRunning(folder: string, progress: Progress): Promise<string> {
  const wasRunning = await stopSupervisor(folder, progress);
  const orphans = await endOrphans(folder);
  removeReady(folder);
  if (orphans.length > 0) return `Ended what was left running: ${orphans.join(", ")}.`;
  return wasRunning ? "Portico is stopped. Its data is kept." : "Portico is not running.";
}

async function stopSupervisor(folder: string, progress: Progress): Promise<boolean> {
  const supervisor = findSupervisor(folder);
  if (!supervisor) return false;
  await inStep(progress, "stopping", async () => {
    signalProcess(supervisor, "SIGTERM");
    if (await waitUntilGone([supervisor], STOP_WITHIN_MS)) return;
    signalProcess(supervisor, "SIGKILL");
    if (await waitUntilGone([supervisor], STOP_WITHIN_MS)) return;
    throw new Failure(`Process ${supervisor.pid} cannot be ended: end it by hand, then make down.`);
  });
  return true;
}

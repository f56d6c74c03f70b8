import { Supervisor, type SupervisorOptions } from "../processes/supervisor.ts";
import { stopOnSignal } from "./stop-on-signal.ts";
import { createThrowawayFolder, removeThrowawayFolder } from "./throwaway-folder.ts";

/** A supervisor in a throwaway folder; `stop` ends its processes and removes the folder. */
export async function createTestSupervisor(options: Omit<SupervisorOptions, "folder"> = {}) {
  const folder = await createThrowawayFolder();
  const supervisor = await Supervisor.create({ ...options, folder });
  const stop = async () => {
    forget();
    await supervisor.stop();
    await removeThrowawayFolder(folder);
  };
  const forget = stopOnSignal(stop);
  return { folder, supervisor, stop };
}

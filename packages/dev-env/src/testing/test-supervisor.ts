import { Supervisor, type SupervisorOptions } from "../processes/supervisor.ts";
import { createThrowawayFolder, removeThrowawayFolder } from "./throwaway-folder.ts";

/** A supervisor in a throwaway folder; `stop` ends its processes and removes the folder. */
export async function createTestSupervisor(options: Omit<SupervisorOptions, "folder"> = {}) {
  const folder = await createThrowawayFolder();
  const supervisor = await Supervisor.create({ ...options, folder });
  const stop = async () => {
    await supervisor.stop();
    await removeThrowawayFolder(folder);
  };
  return { folder, supervisor, stop };
}

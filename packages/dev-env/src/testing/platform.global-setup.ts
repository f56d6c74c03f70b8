import type { TestProject } from "vitest/node";
import type { Ready } from "../platform/ready.ts";
import { startPlatform } from "../platform/start-platform.ts";
import { showProgress } from "../progress/progress.ts";
import { createThrowawayFolder, removeThrowawayFolder } from "./throwaway-folder.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** `folder` holds what `.portico` holds for a person: `ready.json`, secrets, logs. */
    platform: { ready: Ready; folder: string };
  }
}

/** The whole system for a run of journeys: the same that `make up` starts, on free ports, with throwaway data. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await createThrowawayFolder();
  try {
    const platform = await startPlatform({ folder, ports: "free", progress: showProgress() });
    project.provide("platform", { ready: platform.ready, folder });
    return async () => {
      await platform.stop();
      await removeThrowawayFolder(folder);
    };
  } catch (error) {
    await removeThrowawayFolder(folder);
    throw error;
  }
}

import type { TestProject } from "vitest/node";
import type { Ready } from "../platform/ready.ts";
import { startPlatform } from "../platform/start-platform.ts";
import { showProgress } from "../progress/progress.ts";
import { stopOnSignal } from "./stop-on-signal.ts";
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
  const stopping = new AbortController();
  const start = startPlatform({
    folder,
    ports: "free",
    progress: showProgress(),
    signal: stopping.signal,
  });
  const stop = async () => {
    stopping.abort();
    await start.then((platform) => platform.stop()).catch(() => {});
    await removeThrowawayFolder(folder);
  };
  const forget = stopOnSignal(stop);
  try {
    const { ready } = await start;
    project.provide("platform", { ready, folder });
  } catch (error) {
    await stop();
    throw error;
  }
  return async () => {
    forget();
    await stop();
  };
}

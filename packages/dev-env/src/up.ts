import { platformFolder, runCommand } from "./commands/command.ts";
import { type ProcessMemory, readyPage } from "./commands/ready-page.ts";
import { readReady } from "./platform/ready.ts";
import { type Platform, startPlatform } from "./platform/start-platform.ts";
import { memoryOf } from "./processes/memory.ts";
import type { ProcessIdentity } from "./processes/process-identity.ts";
import { findSupervisor } from "./processes/run-file.ts";
import { showProgress } from "./progress/progress.ts";

/** `make up`: starts everything, says where it is, and keeps it alive until it is told to stop. */
async function up(): Promise<void> {
  const running = findSupervisor(platformFolder);
  if (running) return sayWhere(running);

  const stopping = stopOnSignal();
  const startedAt = performance.now();
  const progress = showProgress();
  progress.line("\nStarting Portico\n");
  const platform = await startPlatform({
    folder: platformFolder,
    ports: "configured",
    progress,
    log: (line) => progress.line(`${new Date().toISOString()}  ${line}`),
    environment: process.env,
    signal: stopping,
  });
  const tookS = ((performance.now() - startedAt) / 1000).toFixed(1);
  progress.line(readyPage(platformFolder, platform.ready, await measureMemory(platform)));
  progress.line(`Portico is ready after ${tookS} s.`);

  await aborted(stopping);
  progress.line("\nStopping Portico");
  await platform.stop();
  progress.line("Stopped. Data stays in .portico; make reset removes it.");
}

async function sayWhere({ pid }: ProcessIdentity): Promise<void> {
  const ready = await readReady(platformFolder);
  const where = ready ? `at ${ready.gateway}` : "and not ready yet";
  console.log(`Portico is already running ${where} (pid ${pid}). Stop it with make down.`);
}

async function measureMemory(platform: Platform): Promise<ProcessMemory[]> {
  const self = { name: "make up itself", pid: process.pid, port: undefined };
  return Promise.all(
    [...platform.processes(), self].map(async ({ name, pid, port }) => ({
      name,
      pid,
      port,
      memory: await memoryOf(pid),
    })),
  );
}

/** A second Ctrl-C does not wait: leaving this process kills its children. */
function stopOnSignal(): AbortSignal {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  return controller.signal;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  // A pending promise alone would not keep Node alive; the children do, until all of them have died.
  const keepAlive = setInterval(() => {}, 2 ** 30);
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => {
      clearInterval(keepAlive);
      resolve();
    });
  });
}

await runCommand(up);
process.exit();

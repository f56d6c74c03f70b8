import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../failure.ts";
import { ManagedProcess, type ProcessEvents, type ProcessSpec, stages } from "./managed-process.ts";
import { identify } from "./process-identity.ts";
import { endOrphans, recordProcesses, releaseRun, takeRun } from "./run-file.ts";

/**
 * Keeps a set of processes alive in a folder: starts each, starts it again when it dies, stops all in order. What runs is
 * recorded in the folder, so that nothing outlives a supervisor for longer than until the next one starts.
 */
export interface RunningProcess {
  name: string;
  pid: number;
  port: number;
  log: string;
}

export interface SupervisorOptions {
  folder: string;
  /** One line for a person: a process died, it is back. */
  log?: (line: string) => void;
  /** Called whenever a process has a new pid. */
  onChange?: () => void;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #managed = new Map<string, ManagedProcess>();
  readonly #killAll = () => this.#forEach((process) => process.kill("SIGKILL"));
  #stopped: Promise<void> | undefined;

  private constructor(options: SupervisorOptions) {
    this.#options = options;
    // The last resort when this process ends without stop(): an uncaught error, process.exit.
    process.once("exit", this.#killAll);
  }

  /** Takes the folder, after ending what an earlier supervisor left running in it. */
  static async create(options: SupervisorOptions): Promise<Supervisor> {
    const orphans = await endOrphans(options.folder);
    if (orphans.length > 0) options.log?.(`ended what was left running: ${orphans.join(", ")}`);
    if (!takeRun(options.folder)) throw new Failure(`Already running in ${options.folder}.`);
    return new Supervisor(options);
  }

  async start(spec: ProcessSpec): Promise<void> {
    if (this.#stopped) throw new Failure(`${spec.name} was not started: everything is stopping.`);
    const managed = new ManagedProcess(
      spec,
      freshLog(this.#options.folder, spec.name),
      this.#events,
    );
    this.#managed.set(spec.name, managed);
    await managed.start();
  }

  processes(): RunningProcess[] {
    const running: RunningProcess[] = [];
    this.#forEach(({ pid, spec, log }) => {
      if (pid !== undefined) running.push({ name: spec.name, pid, port: spec.port, log });
    });
    return running;
  }

  /** For drills: the process comes back by itself. */
  kill(name: string, signal: NodeJS.Signals = "SIGKILL"): void {
    const managed = this.#managed.get(name);
    if (!managed) throw new Error(`no process is called ${name}`);
    managed.kill(signal);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stopInOrder();
    return this.#stopped;
  }

  async #stopInOrder(): Promise<void> {
    for (const stage of stages.toReversed()) {
      const turn = [...this.#managed.values()].filter(({ spec }) => spec.stage === stage);
      await Promise.all(turn.map((managed) => managed.stop()));
    }
    process.removeListener("exit", this.#killAll);
    releaseRun(this.#options.folder);
  }

  readonly #events: ProcessEvents = {
    launched: () => {
      this.#record();
      this.#options.onChange?.();
    },
    died: ({ spec, log }, how) => this.#options.log?.(`${spec.name} died (${how}), see ${log}`),
    recovered: ({ spec, pid }, tookMs) =>
      this.#options.log?.(
        `${spec.name} is back after ${(tookMs / 1000).toFixed(1)} s (pid ${pid})`,
      ),
    killed: ({ spec, log }) =>
      this.#options.log?.(`${spec.name} did not stop in time and was killed, see ${log}`),
  };

  #record(): void {
    const processes = this.processes().flatMap(({ name, pid }) => {
      const identity = identify(pid);
      return identity ? [{ name, ...identity }] : [];
    });
    recordProcesses(this.#options.folder, processes);
  }

  #forEach(visit: (managed: ManagedProcess) => void): void {
    for (const managed of this.#managed.values()) visit(managed);
  }
}

/** The log of the run before is kept as `.1`. */
function freshLog(folder: string, name: string): string {
  const logs = join(folder, "logs");
  mkdirSync(logs, { recursive: true });
  const log = join(logs, `${name}.log`);
  if (existsSync(log)) renameSync(log, `${log}.1`);
  return log;
}

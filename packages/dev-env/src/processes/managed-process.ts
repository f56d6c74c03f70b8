import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../failure.ts";
import type { Probe } from "./readiness.ts";

/** What to run, when it counts as ready, and when in the order of stopping its turn comes. */
export interface ProcessSpec {
  name: string;
  command: string;
  args: string[];
  env?: Record<string, string>;
  cwd?: string;
  port: number;
  isReady: Probe;
  /** Later stages are stopped first: whoever uses a store goes before the store. */
  stage: Stage;
}

export const stages = ["stores", "sandboxes", "services", "edge"] as const;
export type Stage = (typeof stages)[number];

export interface ProcessEvents {
  launched(process: ManagedProcess): void;
  died(process: ManagedProcess, how: string): void;
  recovered(process: ManagedProcess, tookMs: number): void;
  /** It did not stop when it was asked to. */
  killed(process: ManagedProcess): void;
}

const PROBE_EVERY_MS = 40;
const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 6000;
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5000;

/** What a child may inherit. Everything else it must be given, so that the person's shell cannot change a service. */
const INHERITED = ["PATH", "HOME", "TMPDIR", "LANG", "TZ"];

/** One child process: started, watched, started again when it dies, stopped. */
export class ManagedProcess {
  readonly spec: ProcessSpec;
  readonly log: string;
  readonly #events: ProcessEvents;
  #child: ChildProcess | undefined;
  #isStopping = false;
  #deaths = 0;

  constructor(spec: ProcessSpec, log: string, events: ProcessEvents) {
    this.spec = spec;
    this.log = log;
    this.#events = events;
  }

  get pid(): number | undefined {
    return this.#isRunning() ? this.#child?.pid : undefined;
  }

  /** Resolves when it is ready for the first time. From then on it is kept alive; before, dying is a Failure. */
  async start(): Promise<void> {
    const child = this.#launch();
    if (!(await this.#becomesReady(child))) throw this.#failedToStart(child);
    this.#keepAlive(child);
  }

  kill(signal: NodeJS.Signals): void {
    if (this.#isRunning()) this.#child?.kill(signal);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    const child = this.#child;
    if (!child || !this.#isRunning()) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    const deadline = setTimeout(() => {
      this.#events.killed(this);
      child.kill("SIGKILL");
    }, STOP_DEADLINE_MS);
    child.kill("SIGTERM");
    await ended;
    clearTimeout(deadline);
  }

  /** Its own session, so that Ctrl-C in the terminal reaches the supervisor alone, which then stops all in order. */
  #launch(): ChildProcess {
    const { command, args, env, cwd } = this.spec;
    const log = openSync(this.log, "a");
    const child = spawn(command, args, {
      cwd,
      env: { ...inheritedEnvironment(), ...env },
      stdio: ["ignore", log, log],
      detached: true,
    });
    closeSync(log);
    // Without a listener a failed spawn would throw here; `exitCode` and `pid` tell it as well.
    child.on("error", () => {});
    this.#child = child;
    this.#events.launched(this);
    return child;
  }

  #isRunning(): boolean {
    const child = this.#child;
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  }

  async #becomesReady(child: ChildProcess): Promise<boolean> {
    const deadline = performance.now() + START_DEADLINE_MS;
    while (this.#child === child && this.#isRunning() && performance.now() < deadline) {
      if (await this.spec.isReady()) return true;
      await sleep(PROBE_EVERY_MS);
    }
    return false;
  }

  #failedToStart(child: ChildProcess): Error {
    const { name } = this.spec;
    if (this.#isStopping) return new Failure(`${name} was stopped while it started.`);
    if (this.#isRunning()) {
      child.kill("SIGKILL");
      return new Failure(
        `${name} was not ready after ${START_DEADLINE_MS / 1000} s; see ${this.log}`,
      );
    }
    return new Failure(
      `${name} ended at once (${how(child)}): ${lastLine(this.log)}  See ${this.log}`,
    );
  }

  #keepAlive(child: ChildProcess): void {
    if (this.#isRunning()) child.once("exit", () => this.#recover(child));
    else this.#recover(child);
  }

  async #recover(dead: ChildProcess): Promise<void> {
    if (this.#isStopping) return;
    const diedAt = performance.now();
    this.#events.died(this, how(dead));
    await sleep(Math.min(FIRST_DELAY_MS * 2 ** this.#deaths++, LONGEST_DELAY_MS));
    if (this.#isStopping) return;

    const child = this.#launch();
    this.#keepAlive(child);
    if (!(await this.#becomesReady(child))) return void child.kill("SIGKILL");
    this.#deaths = 0;
    this.#events.recovered(this, performance.now() - diedAt);
  }
}

function inheritedEnvironment(): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

function how(child: ChildProcess): string {
  if (child.signalCode) return child.signalCode;
  return child.exitCode === null ? "it cannot be started" : `exit code ${child.exitCode}`;
}

function lastLine(log: string): string {
  return (
    readFileSync(log, "utf8").trimEnd().split("\n").at(-1)?.slice(0, 500) || "it logged nothing."
  );
}

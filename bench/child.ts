/** Processes that the benchmark starts beside the platform: peers, limits. None outlives it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface Child extends AsyncDisposable {
  readonly pid: number;
  /** Where it writes what it has to say. */
  readonly log: string;
  readonly process: ChildProcess;
}

export interface ChildOptions {
  /** Its log is written into this folder. */
  folder: string;
  name: string;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Whom it runs as, where that must not be root. */
  uid?: number;
  /** A Node program, which can send messages. */
  messages?: boolean;
}

const running = new Set<ChildProcess>();

process.once("exit", () => {
  for (const child of running) signal(child, "SIGKILL");
});
// An end by a signal would not be an "exit".
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => process.exit(1));

export function startChild(command: string, args: readonly string[], options: ChildOptions): Child {
  const { folder, name, env = process.env, cwd, uid, messages } = options;
  const log = join(folder, `${name}.log`);
  const output = openSync(log, "a");
  const child = spawn(command, args, {
    env,
    cwd,
    uid,
    gid: uid,
    // With what it starts itself, it can be ended as a group.
    detached: true,
    stdio: messages ? ["ignore", output, output, "ipc"] : ["ignore", output, output],
  });
  closeSync(output);
  running.add(child);
  // Not started at all, or ended.
  for (const event of ["error", "close"]) child.once(event, () => running.delete(child));
  return {
    pid: child.pid ?? 0,
    log,
    process: child,
    [Symbol.asyncDispose]: () => stop(child),
  };
}

export interface Server extends Child {
  port: number;
}

/** A Node program that sends the port it listens on. */
export async function startServer(
  program: string,
  args: readonly string[],
  options: Omit<ChildOptions, "name" | "messages">,
): Promise<Server> {
  const name = basename(program);
  const child = startChild(process.execPath, [program, ...args], {
    ...options,
    name,
    messages: true,
  });
  const port = await orEnded(child, (signal) => once(child.process, "message", { signal }));
  return { ...child, port: Number(port[0]) };
}

const graceMs = 10_000;

async function stop(child: ChildProcess): Promise<void> {
  if (!running.has(child)) return;
  const closed = once(child, "close");
  signal(child, "SIGTERM");
  const timer = setTimeout(() => signal(child, "SIGKILL"), graceMs);
  await closed;
  clearTimeout(timer);
}

function signal({ pid }: ChildProcess, name: NodeJS.Signals): void {
  if (!pid) return;
  try {
    process.kill(-pid, name);
  } catch {
    // It has ended by itself.
  }
}

/** Rejects when the program cannot be started or ends before `wait` does; leaves no listener behind. */
async function orEnded<T>(child: Child, wait: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const over = new AbortController();
  try {
    return await Promise.race([wait(over.signal), ended(child, over.signal)]);
  } finally {
    over.abort();
  }
}

async function ended({ process: child, log }: Child, signal: AbortSignal): Promise<never> {
  const [code] = await once(child, "close", { signal });
  throw new Error(`${basename(log, ".log")} has ended (${code}):\n${endOf(log)}`);
}

const endOf = (log: string): string => readFileSync(log, "utf8").slice(-2000);

/** Waits until `isUp` says so, for as long as the program lives. */
export async function waitUntil(
  isUp: () => Promise<boolean>,
  child: Child,
  withinMs: number,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  const poll = async (signal: AbortSignal) => {
    while (performance.now() < deadline) {
      if (await isUp().catch(() => false)) return;
      await sleep(200, undefined, { signal });
    }
    throw new Error(`${basename(child.log, ".log")} does not answer:\n${endOf(child.log)}`);
  };
  await orEnded(child, poll);
}

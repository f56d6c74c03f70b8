/** A program as Debian packages it: the machine's own, else its package unpacked into the cache, which takes no root. */
import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, glob, mkdir, readdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { cachedFolder, Failure, type Progress } from "@portico/dev-env";

const run = promisify(execFile);

export interface Program {
  path: string;
  /** With the libraries that came with it. */
  env: NodeJS.ProcessEnv;
  version: string;
}

/** @returns one that has proved to run here */
export async function debianProgram(name: string, progress: Progress): Promise<Program> {
  const path = await onPath(name);
  if (path) return asked(name, path, process.env);
  const packages = await packagesOf(name);
  const own = packages.find((one) => one.startsWith(`${name}=`)) ?? name;
  const what = own.replace("=", " ");
  const folder = await cachedFolder(
    {
      // A colon, which versions may have, would end the path of a library.
      name: `debian-${what.replace(/[^\w.+~]/g, "-")}`,
      what,
      fill: (unfinished, temporary) => unpack(packages, unfinished, temporary),
    },
    progress,
  );
  const libraries: string[] = [];
  for await (const library of glob("{usr/lib,lib}/*-linux-gnu*", { cwd: folder })) {
    libraries.push(join(folder, library));
  }
  const env = { ...process.env, LD_LIBRARY_PATH: libraries.join(delimiter) };
  return asked(name, join(folder, "usr", "sbin", name), env);
}

/** Also where a person's own `PATH` does not lead to, though Debian installs servers there. */
async function onPath(name: string): Promise<string | undefined> {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin"];
  for (const path of folders.filter(Boolean).map((folder) => join(folder, name))) {
    const isExecutable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isExecutable) return path;
  }
  return undefined;
}

/** It and what it needs that this machine has not, `name=version`, as installing it would say. */
async function packagesOf(name: string): Promise<string[]> {
  const args = ["install", "--simulate", "--no-install-recommends", name];
  const answer = await run("apt-get", args).catch((error) => {
    throw new Failure(`${name} cannot be had: it is not on PATH, and ${reason(error)}`);
  });
  return [...answer.stdout.matchAll(/^Inst (\S+) (?:\[\S+\] )?\((\S+)/gm)].map(
    ([, one, version]) => `${one}=${version}`,
  );
}

async function unpack(packages: string[], target: string, temporary: string): Promise<void> {
  const downloads = join(temporary, "packages");
  await mkdir(downloads);
  try {
    await run("apt-get", ["download", ...packages], { cwd: downloads });
    for (const file of await readdir(downloads)) {
      await run("dpkg", ["--extract", join(downloads, file), target]);
    }
  } catch (error) {
    throw new Failure(`${packages.join(", ")} cannot be fetched: ${reason(error)}`);
  }
}

async function asked(name: string, path: string, env: NodeJS.ProcessEnv): Promise<Program> {
  // nginx says it to stderr, HAProxy to stdout.
  const answer = await run(path, ["-v"], { env }).catch((error) => {
    throw new Failure(`${name} at ${path} does not run: ${reason(error)}`);
  });
  const version = /\d+\.\d+\.\d+/.exec(answer.stdout + answer.stderr)?.[0] ?? "";
  return { path, env, version };
}

function reason(error: unknown): string {
  const { code, path, stderr = "" } = error as { code?: string; path?: string; stderr?: string };
  if (code === "ENOENT") return `${path} is missing.`;
  const lines = stderr.trim().split("\n");
  return lines.find((line) => line.startsWith("E: ")) ?? lines.at(-1) ?? "does not say why.";
}

import { execFile } from "node:child_process";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Failure } from "@portico/dev-env";

const run = promisify(execFile);

/** Installs what a peer's own lock file names, with the npm of the machine, into `target`. */
export async function installFromLock(what: string, peer: string, target: string): Promise<void> {
  for (const file of ["package.json", "package-lock.json"]) {
    await copyFile(join(peer, file), join(target, file));
  }
  const quietly = ["--no-audit", "--no-fund", "--loglevel", "error"];
  try {
    await run("npm", ["ci", "--omit=dev", "--ignore-scripts", ...quietly], { cwd: target });
  } catch (error) {
    throw new Failure(`${what} cannot be installed: ${firstLine(error)}`);
  }
}

function firstLine(error: unknown): string {
  const { code, stderr = "" } = error as { code?: string; stderr?: string };
  if (code === "ENOENT") return "npm is missing.";
  return stderr.trim().split("\n")[0] || "npm does not say why.";
}

import { Failure } from "../failure.ts";
import { run } from "../processes/run.ts";
import type { Binary } from "./binary.ts";

const PACKAGE_OF_LIBRARY: Record<string, string> = {
  "libcurl.so.4": "libcurl4",
  "libssl.so.3": "libssl3",
  "libcrypto.so.3": "libssl3",
  "liblzma.so.5": "liblzma5",
};

/** Runs `--version` and returns the version. Throws a Failure that says what is missing when the program cannot run here. */
export async function checkBinary(binary: Binary, path: string): Promise<string> {
  const { code, stdout, stderr } = await runVersion(binary, path);
  if (code !== 0) throw new Failure(`${binary.name} cannot run here: ${reason(stderr)}`);
  return parseVersion(stdout) ?? "unknown";
}

async function runVersion(binary: Binary, path: string) {
  try {
    return await run(path, ["--version"]);
  } catch (error) {
    throw new Failure(
      `${binary.name} cannot be started from ${path} (${(error as NodeJS.ErrnoException).code}): ` +
        `set ${binary.variable} to a program that can.`,
    );
  }
}

function reason(stderr: string): string {
  const library = /loading shared libraries: ([^:\s]+)/.exec(stderr)?.[1];
  if (library) {
    const name = PACKAGE_OF_LIBRARY[library];
    return `the library ${library} is missing; install ${name ? `it (Debian: apt install ${name})` : "it"}.`;
  }
  const glibc = /version `(GLIBC_[\d.]+)' not found/.exec(stderr)?.[1];
  if (glibc) return `it needs ${glibc}, this system's C library is older.`;
  return stderr.trim().split("\n").at(-1) || "it ends at once without saying why.";
}

/** `db version v6.0.5`, `Redis server v=6.2.5 sha=…`, `envoy  version: <commit>/1.40.0/Clean/…` */
export function parseVersion(output: string): string | undefined {
  return /(?:\bv=?|\/)(\d+\.\d+(?:\.\d+)?)/.exec(output)?.[1];
}

export function isAtLeast(version: string, minimum: string): boolean {
  const [have, want] = [version, minimum].map((text) => text.split(".").map(Number));
  for (const [index, number] of (want ?? []).entries()) {
    const difference = (have?.[index] ?? 0) - number;
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** Keycloak as it is released, from Maven's repository, unpacked into the cache. */
import { execFile } from "node:child_process";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { cachedFolder, Failure, type Progress } from "@portico/dev-env";

const run = promisify(execFile);

export const version = "26.4.0";
const oldestJava = 17;
const artifact = `org.keycloak:keycloak-quarkus-dist:${version}:zip`;
const copy = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy";

/** @returns a folder that is shared by all runs: nothing may be written into it */
export async function keycloakDistribution(progress: Progress): Promise<string> {
  await requireJava();
  return cachedFolder({ name: `keycloak-${version}`, what: `Keycloak ${version}`, fill }, progress);
}

async function requireJava(): Promise<void> {
  // To stderr, as `java -version` always has.
  const answer = await run("java", ["-version"]).catch(() => ({ stderr: "" }));
  const found = Number(/version "(?:1\.)?(\d+)/.exec(answer.stderr)?.[1] ?? 0);
  if (found >= oldestJava) return;
  throw new Failure(
    `Keycloak needs Java ${oldestJava} or newer on PATH; there is ${found ? `Java ${found}` : "none"}.`,
  );
}

async function fill(unfinished: string, temporary: string): Promise<void> {
  const download = [`-Dartifact=${artifact}`, `-DoutputDirectory=${temporary}`];
  try {
    await run("mvn", ["--batch-mode", "--quiet", copy, ...download]);
  } catch (error) {
    throw new Failure(`Keycloak cannot be fetched: ${reason(error)}`);
  }
  const archive = join(temporary, `keycloak-quarkus-dist-${version}.zip`);
  await run("python3", ["-m", "zipfile", "-e", archive, temporary]);
  await rename(join(temporary, `keycloak-${version}`), join(unfinished, "keycloak"));
}

function reason(error: unknown): string {
  const { code, stdout = "" } = error as { code?: string | number; stdout?: string };
  if (code === "ENOENT") return "mvn is missing; install Maven.";
  const said = stdout.split("\n").find((line) => line.startsWith("[ERROR]"));
  return said?.slice("[ERROR] ".length) ?? "Maven does not say why.";
}

import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { bootstrap } from "../envoy/bootstrap.ts";
import type { EnvoyConfig, EnvoyResource, ResourceKind } from "../envoy/envoy-config.ts";
import { EXTENSION, encodeDocument, encodeResources } from "./encoding.ts";

/**
 * Hands versions to Envoy as files: written beside their place and renamed into it, so Envoy reads
 * an old file or a new one and never half of one; only those that changed. There is no fsync: after
 * a power cut the next start compares and writes again.
 */
export interface Publisher {
  /** Makes a folder Envoy can start from; what an earlier run published stays. */
  prepare(): Promise<void>;
  /** Returns the files that were written, by kind. */
  publish(config: EnvoyConfig): Promise<readonly ResourceKind[]>;
  fileOf(kind: "routes" | "endpoints", name: string): string;
}

export function createPublisher(directory: string, adminPort: number): Publisher {
  const listenersFile = join(directory, `listeners.${EXTENSION}`);
  const clustersFile = join(directory, `clusters.${EXTENSION}`);
  const fileOf = (kind: "routes" | "endpoints", name: string) =>
    join(directory, kind, `${name}.${EXTENSION}`);

  /** What each file holds. Filled from the disk at first, so that a restart rewrites nothing. */
  const contents = new Map<string, string>();
  let clusters: EnvoyConfig["clusters"] = new Map();
  let retired: readonly string[] = [];

  async function put(path: string, content: string): Promise<boolean> {
    const current = contents.get(path) ?? (await readFile(path, "utf8").catch(() => undefined));
    if (current !== content) {
      await replaceFile(path, content);
    }
    contents.set(path, content);
    return current !== content;
  }

  return {
    fileOf,

    async prepare() {
      for (const kind of ["routes", "endpoints"]) {
        await mkdir(join(directory, kind), { recursive: true });
      }
      for (const path of [listenersFile, clustersFile]) {
        await writeFile(path, encodeResources([]), { flag: "wx" }).catch(ignoreExisting);
      }
      await put(
        join(directory, "bootstrap.json"),
        encodeDocument(bootstrap({ adminPort, listenersFile, clustersFile })),
      );
    },

    /**
     * Make before break: what is referred to is there before the reference, and goes after it.
     * Envoy handles its files in the order in which they were renamed.
     */
    async publish(config) {
      const written: ResourceKind[] = [];
      const write = async (kind: ResourceKind, path: string, resources: EnvoyResource[]) => {
        if (await put(path, encodeResources(resources))) {
          written.push(kind);
        }
      };
      for (const [name, resource] of config.endpoints) {
        await write("endpoints", fileOf("endpoints", name), [resource]);
      }
      const both = new Map([...clusters, ...config.clusters]);
      await write("clusters", clustersFile, sortedByName(both));
      for (const [name, resource] of config.routes) {
        await write("routes", fileOf("routes", name), [resource]);
      }
      await write("listeners", listenersFile, [...config.listeners.values()]);
      await write("clusters", clustersFile, [...config.clusters.values()]);

      clusters = config.clusters;
      retired = await removeRetired(directory, config, retired);
      for (const path of retired) {
        contents.delete(path);
      }
      return written;
    },
  };
}

function sortedByName(resources: EnvoyConfig["clusters"]): EnvoyResource[] {
  return [...resources].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, resource]) => resource);
}

async function replaceFile(path: string, content: string) {
  const temporary = `${path}.new`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(temporary, content);
  await rename(temporary, path);
}

/** Files of earlier versions, removed one version late: Envoy may be about to read one. */
async function removeRetired(
  directory: string,
  config: EnvoyConfig,
  retired: readonly string[],
): Promise<string[]> {
  const unused: string[] = [];
  for (const kind of ["routes", "endpoints"] as const) {
    for (const file of await readdir(join(directory, kind))) {
      if (!config[kind].has(file.replace(`.${EXTENSION}`, ""))) {
        unused.push(join(directory, kind, file));
      }
    }
  }
  await Promise.all(
    retired.filter((path) => unused.includes(path)).map((path) => rm(path, { force: true })),
  );
  return unused.filter((path) => !retired.includes(path));
}

function ignoreExisting(error: NodeJS.ErrnoException) {
  if (error.code !== "EEXIST") {
    throw error;
  }
}

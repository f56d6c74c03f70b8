import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bootstrap } from "../envoy/bootstrap.ts";
import type { EdgeLimits } from "../envoy/edge-limits.ts";
import type { EnvoyConfig, EnvoyResource, FiledKind, ResourceKind } from "../envoy/envoy-config.ts";
import { isSame } from "../model/remember.ts";
import { socketIn } from "../shared-limits/socket.ts";
import { encodeDocument, encodeResources, extensionOf } from "./encoding.ts";
import { createFileStore } from "./file-store.ts";

/** Hands versions to Envoy as files, each renamed into place when everything it refers to is there. */
export interface Publisher {
  /** Makes the folder; what an earlier run published stays. */
  prepare(): Promise<void>;
  /** After the first time, Envoy can start from the folder. */
  publish(config: EnvoyConfig): Promise<Publication>;
  /** Puts back what Envoy has kept instead of these, so that it starts from that, too. */
  takeBack(refused: readonly WrittenFile[]): Promise<void>;
  fileOf(kind: FiledKind, name: string): string;
}

export interface Publication {
  readonly written: readonly WrittenFile[];
  /** Left as they were, because Envoy has refused just this before. */
  readonly withheld: readonly WrittenFile[];
}

export interface WrittenFile {
  readonly kind: ResourceKind;
  /** Of the resource in it. Listeners share a file, and clusters do: theirs is the kind's. */
  readonly name: string;
  readonly version: string;
}

/** Kinds of which each resource has a file of its own. */
const FOLDERS = ["secrets", "routes", "endpoints"] as const;

/** Keys are for Envoy alone, which runs as the user that writes them. */
const SECRET_MODE = 0o600;

export function createPublisher(
  directory: string,
  adminPort: number,
  limits?: EdgeLimits,
): Publisher {
  const files = createFileStore(directory);
  const fileOf = (kind: ResourceKind, name: string) =>
    kind === name
      ? join(directory, `${kind}.${extensionOf(kind)}`)
      : join(directory, kind, `${name}.${extensionOf(kind)}`);
  const listenersFile = fileOf("listeners", "listeners");
  const clustersFile = fileOf("clusters", "clusters");
  let clusters: EnvoyConfig["clusters"] = new Map();
  let retired: readonly string[] = [];
  /** What is in which file, so that what is the same as before costs nothing. */
  const contents = new Map<string, readonly EnvoyResource[]>();

  return {
    fileOf,

    async prepare() {
      await files.prepare();
      for (const kind of FOLDERS) {
        await mkdir(join(directory, kind), { recursive: true });
      }
      for (const path of [listenersFile, clustersFile]) {
        await writeFile(path, encodeResources("listeners", []).content, { flag: "wx" }).catch(
          ignoreExisting,
        );
      }
    },

    /**
     * Make before break: what is referred to is there before the reference, and goes after it.
     * Envoy handles its files in the order in which they were renamed.
     */
    async publish(config) {
      files.begin();
      const outcomes = {
        written: new Map<string, WrittenFile>(),
        withheld: new Map<string, WrittenFile>(),
      };
      const write = async (kind: ResourceKind, name: string, resources: EnvoyResource[]) => {
        const path = fileOf(kind, name);
        const before = contents.get(path);
        if (before && isSame(before, resources)) {
          return;
        }
        const encoded = encodeResources(kind, resources);
        const mode = kind === "secrets" ? SECRET_MODE : undefined;
        const outcome = await files.put(path, encoded, mode);
        if (outcome !== "same") {
          outcomes[outcome].set(path, { kind, name, version: encoded.version });
        }
        if (outcome !== "withheld") {
          contents.set(path, resources);
        }
      };
      for (const kind of ["secrets", "endpoints"] as const) {
        for (const [name, resource] of config[kind]) {
          await write(kind, name, [resource]);
        }
      }
      const both = new Map([...clusters, ...config.clusters]);
      await write("clusters", "clusters", sortedByName(both));
      for (const [name, resource] of config.routes) {
        await write("routes", name, [resource]);
      }
      await write("listeners", "listeners", [...config.listeners.values()]);
      await write("clusters", "clusters", [...config.clusters.values()]);
      const start = bootstrap({
        ...{ adminPort, listenersFile, clustersFile },
        sharedLimitsSocket: socketIn(directory),
        ...(limits && { limits }),
      });
      await files.put(join(directory, "bootstrap.json"), encodeDocument(start));

      clusters = config.clusters;
      const unused = await findUnused(directory, config);
      // One version late: Envoy may be about to read one.
      const isLate = (path: string) => retired.includes(path);
      for (const path of unused.filter(isLate)) {
        contents.delete(path);
        await files.remove(path);
      }
      retired = unused.filter((path) => !isLate(path));
      return {
        written: [...outcomes.written.values()],
        withheld: [...outcomes.withheld.values()],
      };
    },

    async takeBack(refused) {
      for (const { kind, name } of refused) {
        contents.delete(fileOf(kind, name));
        await files.takeBack(fileOf(kind, name));
      }
    },
  };
}

function sortedByName(resources: EnvoyConfig["clusters"]): EnvoyResource[] {
  return [...resources].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, resource]) => resource);
}

/** Files of resources that there are no more. */
async function findUnused(directory: string, config: EnvoyConfig): Promise<string[]> {
  const unused: string[] = [];
  for (const kind of FOLDERS) {
    for (const file of await readdir(join(directory, kind))) {
      if (!config[kind].has(file.replace(`.${extensionOf(kind)}`, ""))) {
        unused.push(join(directory, kind, file));
      }
    }
  }
  return unused;
}

function ignoreExisting(error: NodeJS.ErrnoException) {
  if (error.code !== "EEXIST") {
    throw error;
  }
}

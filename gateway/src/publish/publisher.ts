import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bootstrap } from "../envoy/bootstrap.ts";
import type { EdgeLimits } from "../envoy/edge-limits.ts";
import type { EnvoyConfig, EnvoyResource, FiledKind, ResourceKind } from "../envoy/envoy-config.ts";
import { isSame } from "../model/remember.ts";
import { socketIn } from "../shared-limits/socket.ts";
import { encodeDocument, encodeResources, extensionOf } from "./encoding.ts";
import { createFileStore } from "./file-store.ts";
import { createLeftovers } from "./leftovers.ts";

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
const FOLDERS = ["secrets", "routes"] as const;

/** Keys are for Envoy alone, which runs as the user that writes them. */
const MODES: { readonly [kind in ResourceKind]?: number } = { secrets: 0o600 };

/** Is the same as no list. */
const UNKNOWN: readonly unknown[] = [undefined];

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
  const start = encodeDocument(
    bootstrap({
      ...{ adminPort, listenersFile, clustersFile },
      sharedLimitsSocket: socketIn(directory),
      ...(limits && { limits }),
    }),
  );
  let clusters: EnvoyConfig["clusters"] = new Map();
  /** What is in which file, so that what is the same as before costs nothing. */
  const contents = new Map<string, readonly EnvoyResource[]>();
  const leftovers = createLeftovers();

  function pathsOf(config: EnvoyConfig): ReadonlySet<string> {
    return new Set(
      FOLDERS.flatMap((kind) => [...config[kind].keys()].map((name) => fileOf(kind, name))),
    );
  }

  return {
    fileOf,

    async prepare() {
      files.prepare();
      for (const kind of FOLDERS) {
        await mkdir(join(directory, kind), { recursive: true });
        for (const file of await readdir(join(directory, kind))) {
          leftovers.note(join(directory, kind, file));
        }
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
      const write = (kind: ResourceKind, name: string, resources: EnvoyResource[]) => {
        const path = fileOf(kind, name);
        if (isSame(contents.get(path) ?? UNKNOWN, resources)) {
          return;
        }
        if (kind !== name) {
          leftovers.note(path);
        }
        const encoded = encodeResources(kind, resources);
        const outcome = files.put(path, encoded, MODES[kind]);
        if (outcome !== "same") {
          outcomes[outcome].set(path, { kind, name, version: encoded.version });
        }
        if (outcome !== "withheld") {
          contents.set(path, resources);
        }
      };
      for (const [name, resource] of config.secrets) {
        write("secrets", name, [resource]);
      }
      write("clusters", "clusters", withThoseOf(clusters, config.clusters));
      for (const [name, resource] of config.routes) {
        write("routes", name, [resource]);
      }
      write("listeners", "listeners", [...config.listeners.values()]);
      write("clusters", "clusters", [...config.clusters.values()]);
      files.put(join(directory, "bootstrap.json"), start);

      clusters = config.clusters;
      for (const path of leftovers.take(pathsOf(config))) {
        contents.delete(path);
        files.remove(path);
      }
      return {
        written: [...outcomes.written.values()],
        withheld: [...outcomes.withheld.values()],
      };
    },

    async takeBack(refused) {
      for (const { kind, name } of refused) {
        contents.delete(fileOf(kind, name));
        files.takeBack(fileOf(kind, name));
      }
    },
  };
}

/** The new ones, and those old ones that there are no more, by name. */
function withThoseOf(
  old: EnvoyConfig["clusters"],
  current: EnvoyConfig["clusters"],
): EnvoyResource[] {
  const isGone = [...old.keys()].some((name) => !current.has(name));
  return isGone
    ? [...new Map([...old, ...current])].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)
    : [...current.values()];
}

function ignoreExisting(error: NodeJS.ErrnoException) {
  if (error.code !== "EEXIST") {
    throw error;
  }
}

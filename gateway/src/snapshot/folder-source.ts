import { type FSWatcher, watch } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { parseAllDocuments } from "yaml";
import { messageOf } from "../logger.ts";
import type { Listing, ObjectSource, SourceObject } from "./object-source.ts";

/**
 * Kubernetes objects from folders of YAML files, as `kubectl apply -f folder` would take them.
 * A file that stops being readable keeps what it held when it last was: half a save, or a slip of
 * the keyboard, must not take routes away. Deleting the file does.
 */
export function createFolderSource(
  folders: readonly string[],
  options: { relistMs?: number } = {},
): ObjectSource {
  const files = new Map<string, ObjectFile>();
  const watchers = new Map<string, FSWatcher>();
  let relist: NodeJS.Timeout | undefined;
  let isStopped = false;

  /** fs.watch loses a folder that is removed and made again, so each slow pass watches anew. */
  function watchFolders(changed: () => void) {
    for (const folder of folders) {
      if (watchers.has(folder)) {
        continue;
      }
      try {
        const watcher = watch(folder, changed);
        const forget = () => {
          watcher.close();
          watchers.delete(folder);
        };
        watcher.on("error", forget);
        watcher.on("change", (_event, name) => {
          // Linux tells of the removal of the folder itself as a change of its own name.
          if (name === basename(folder)) {
            forget();
          }
        });
        watchers.set(folder, watcher);
      } catch {
        // The folder is not there: list() says so, and the next slow pass tries again.
      }
    }
  }

  return {
    watch(changed) {
      watchFolders(changed);
      const pass = async () => {
        watchFolders(changed);
        if (await isStale(folders, files)) {
          changed();
        }
        if (isStopped) {
          return;
        }
        relist = setTimeout(pass, options.relistMs ?? 5000);
      };
      relist = setTimeout(pass, options.relistMs ?? 5000);
    },

    async list() {
      const found = await findFiles(folders);
      const listed: ObjectFile[] = [];
      for (const { path, fingerprint } of found) {
        const known = files.get(path);
        const file =
          known?.fingerprint === fingerprint ? known : await readObjects(path, fingerprint, known);
        listed.push(file);
      }
      files.clear();
      for (const file of listed) {
        files.set(file.path, file);
      }
      return listingOf(listed);
    },

    stop() {
      isStopped = true;
      clearTimeout(relist);
      for (const watcher of watchers.values()) {
        watcher.close();
      }
    },
  };
}

interface FoundFile {
  readonly path: string;
  /** Size, time and inode: equal when the file need not be read again. */
  readonly fingerprint: string;
}

interface ObjectFile extends FoundFile {
  readonly objects: readonly SourceObject[];
  readonly problem?: string;
}

async function findFiles(folders: readonly string[]): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  for (const folder of folders) {
    const names = (await readdir(folder)).filter((name) => /\.ya?ml$/.test(name)).sort();
    for (const name of names) {
      const path = join(folder, name);
      const status = await stat(path).catch(() => undefined);
      // Gone between readdir and stat: as if it had never been listed.
      if (status?.isFile()) {
        found.push({ path, fingerprint: `${status.ino} ${status.size} ${status.mtimeMs}` });
      }
    }
  }
  return found;
}

async function isStale(folders: readonly string[], files: ReadonlyMap<string, ObjectFile>) {
  try {
    const found = await findFiles(folders);
    return (
      found.length !== files.size ||
      found.some(({ path, fingerprint }) => files.get(path)?.fingerprint !== fingerprint)
    );
  } catch {
    // list() meets the same error and reports it.
    return true;
  }
}

async function readObjects(
  path: string,
  fingerprint: string,
  known: ObjectFile | undefined,
): Promise<ObjectFile> {
  const file = { path, fingerprint };
  const lastGood = known?.objects ?? [];
  try {
    const text = await readFile(path, "utf8");
    const objects = parseObjects(text, basename(path));
    if (objects.length === 0 && lastGood.length > 0) {
      // An editor empties the file before it writes, and this may be the moment between.
      return { ...file, objects: lastGood, problem: "is empty: its last objects stay; delete it" };
    }
    return { ...file, objects };
  } catch (error) {
    // The parser's message goes on to quote the file.
    const [message] = messageOf(error).split(/:?\n/);
    const stays = lastGood.length > 0 ? " (its last objects stay)" : "";
    return { ...file, objects: lastGood, problem: `${message}${stays}` };
  }
}

function parseObjects(text: string, name: string): SourceObject[] {
  const objects: SourceObject[] = [];
  for (const [index, document] of parseAllDocuments(text).entries()) {
    const [error] = document.errors;
    if (error) {
      throw error;
    }
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    if (value !== null) {
      objects.push({ origin: `${name}#${index + 1}`, value });
    }
  }
  return objects;
}

function listingOf(files: readonly ObjectFile[]): Listing {
  return {
    objects: files.flatMap((file) => file.objects),
    problems: files.flatMap(({ path, problem }) =>
      problem === undefined ? [] : [{ origin: path, message: problem }],
    ),
  };
}

import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Encoded } from "./encoding.ts";

/**
 * Files that are written beside their place and renamed into it, so that Envoy reads an old file or
 * a new one and never half of one; only those that changed. There is no fsync: after a power cut
 * the next start compares and writes again. Synchronous: a call that takes 20 µs by itself takes a
 * millisecond by way of the thread pool, and six of them were most of the time that a change took.
 */
export interface FileStore {
  prepare(): void;
  /** What is put from here on can be taken back to what is there now. */
  begin(): void;
  /** `withheld`: Envoy has refused this version, so the one that it kept stays. */
  put(path: string, encoded: Encoded, mode?: number): "written" | "same" | "withheld";
  /** Back to what was there; the version that is there now is not taken again until another one was. */
  takeBack(path: string): void;
  remove(path: string): void;
}

export function createFileStore(directory: string): FileStore {
  const parked = join(directory, "previous");
  const parkedPath = (path: string) => join(parked, relative(directory, path).replaceAll("/", "_"));
  /** What each file holds. Asked of the disk at first, so that a restart rewrites nothing. */
  const versions = new Map<string, string | undefined>();
  const refused = new Map<string, string | undefined>();
  const before = new Map<string, string | undefined>();

  function replace(path: string, content: Encoded["content"], mode?: number) {
    const temporary = `${path}.new`;
    writeFileSync(temporary, content, { mode });
    renameSync(temporary, path);
  }

  /** A second name for the old file costs nothing, however large it is. */
  function park(path: string) {
    rmSync(parkedPath(path), { force: true });
    unlessAbsent(() => linkSync(path, parkedPath(path)));
  }

  return {
    prepare: () => void mkdirSync(parked, { recursive: true }),
    begin: () => before.clear(),

    put(path, encoded, mode) {
      const { version, content } = encoded;
      if (!versions.has(path)) {
        const current = unlessAbsent(() => readFileSync(path));
        versions.set(path, current?.equals(Buffer.from(content)) ? version : undefined);
      }
      const current = versions.get(path);
      if (current === version) {
        return "same";
      }
      if (refused.get(path) === version) {
        return "withheld";
      }
      if (!before.has(path)) {
        before.set(path, current);
        park(path);
      }
      replace(path, content, mode);
      versions.set(path, version);
      refused.delete(path);
      return "written";
    },

    takeBack(path) {
      refused.set(path, versions.get(path));
      unlessAbsent(() => renameSync(parkedPath(path), path));
      versions.set(path, before.get(path));
    },

    remove(path) {
      versions.delete(path);
      refused.delete(path);
      rmSync(path, { force: true });
    },
  };
}

function unlessAbsent<Outcome>(action: () => Outcome): Outcome | undefined {
  try {
    return action();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
      throw error;
    }
    return undefined;
  }
}

import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Encoded } from "./encoding.ts";

/**
 * Files that are written beside their place and renamed into it, so that Envoy reads an old file or
 * a new one and never half of one; only those that changed. There is no fsync: after a power cut
 * the next start compares and writes again.
 */
export interface FileStore {
  prepare(): Promise<void>;
  /** What is put from here on can be taken back to what is there now. */
  begin(): void;
  /** `withheld`: Envoy has refused this version, so the one that it kept stays. */
  put(path: string, encoded: Encoded, mode?: number): Promise<"written" | "same" | "withheld">;
  /** Back to what was there; the version that is there now is not taken again until another one was. */
  takeBack(path: string): Promise<void>;
  remove(path: string): Promise<void>;
}

export function createFileStore(directory: string): FileStore {
  const parked = join(directory, "previous");
  const parkedPath = (path: string) => join(parked, relative(directory, path).replaceAll("/", "_"));
  /** What each file holds. Asked of the disk at first, so that a restart rewrites nothing. */
  const versions = new Map<string, string | undefined>();
  const refused = new Map<string, string | undefined>();
  const before = new Map<string, string | undefined>();

  async function replace(path: string, content: Encoded["content"], mode?: number) {
    const temporary = `${path}.new`;
    await writeFile(temporary, content, { mode });
    await rename(temporary, path);
  }

  /** A second name for the old file costs nothing, however large it is. */
  async function park(path: string) {
    await rm(parkedPath(path), { force: true });
    await link(path, parkedPath(path)).catch(ignore("ENOENT"));
  }

  return {
    prepare: async () => void (await mkdir(parked, { recursive: true })),
    begin: () => before.clear(),

    async put(path, encoded, mode) {
      const { version, content } = encoded;
      if (!versions.has(path)) {
        const current = await readFile(path).catch(ignore("ENOENT"));
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
        await park(path);
      }
      await replace(path, content, mode);
      versions.set(path, version);
      refused.delete(path);
      return "written";
    },

    async takeBack(path) {
      refused.set(path, versions.get(path));
      await rename(parkedPath(path), path).catch(ignore("ENOENT"));
      versions.set(path, before.get(path));
    },

    async remove(path) {
      versions.delete(path);
      refused.delete(path);
      await rm(path, { force: true });
    },
  };
}

function ignore(code: string) {
  return (error: NodeJS.ErrnoException) => {
    if (error.code !== code) {
      throw error;
    }
    return undefined;
  };
}

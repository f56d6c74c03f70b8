/**
 * Files that a version has no use for any more. They go one version late: Envoy may be about to read one.
 */
export interface Leftovers {
  /** A file that is there. */
  note(path: string): void;
  /** Those that were of no use to the version before either, and are forgotten with this. */
  take(used: ReadonlySet<string>): string[];
}

export function createLeftovers(): Leftovers {
  const present = new Set<string>();
  let retired: ReadonlySet<string> = new Set();
  return {
    note: (path) => void present.add(path),
    take(used) {
      const unused = [...present].filter((path) => !used.has(path));
      const late = unused.filter((path) => retired.has(path));
      for (const path of late) {
        present.delete(path);
      }
      retired = new Set(unused.filter((path) => present.has(path)));
      return late;
    },
  };
}

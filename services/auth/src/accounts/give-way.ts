import { readdir, readFile } from "node:fs/promises";
import { setPriority } from "node:os";

/** setpriority(2): 0 is everybody's; at 10 a thread gets a tenth of what one beside it does, and waits for it. */
const politeness = 10;

/**
 * Lets this process's thread pool run when nothing else wants the processor. What keeps it busy is hashing
 * passwords: on a machine of two processors two hashes would make every other answer wait for its share.
 * Where a thread cannot be told apart from its process (not Linux), everything stays as it is.
 */
export async function letPoolGiveWay(): Promise<void> {
  if (process.platform !== "linux") return;
  // Read by the pool itself, whose threads are all there from its first use on.
  for (const thread of await readdir("/proc/self/task")) {
    const name = await readFile(`/proc/self/task/${thread}/comm`, "utf8");
    if (name.trim() === "libuv-worker") setPriority(Number(thread), politeness);
  }
}

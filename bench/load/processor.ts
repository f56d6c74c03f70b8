/** What a process has taken of the processors, from /proc (proc_pid_stat(5)). */
import { readdir, readFile } from "node:fs/promises";

/** Linux counts in hundredths of a second towards programs, whatever its own clock does. */
const ticksPerSecond = 100;

interface Stat {
  parent: number;
  ticks: number;
}

/** Of the process and its children, so far. Undefined where there is no /proc, or no such process. */
export async function processorSecondsOf(pid: number): Promise<number | undefined> {
  const own = await statOf(pid);
  if (!own) return undefined;
  const all = await Promise.all((await readdir("/proc")).filter(isPid).map(Number).map(statOf));
  const children = all.filter((stat) => stat?.parent === pid);
  const ticks = [own, ...children].reduce((sum, stat) => sum + (stat?.ticks ?? 0), 0);
  return ticks / ticksPerSecond;
}

const isPid = (name: string): boolean => /^\d+$/.test(name);

async function statOf(pid: number): Promise<Stat | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The second field is the program's name in parentheses, which may hold spaces and parentheses.
  const [, parent, ...rest] = text?.slice(text.lastIndexOf(")") + 2).split(" ") ?? [];
  if (parent === undefined) return undefined;
  const [user, system] = rest.slice(9, 11).map(Number);
  return { parent: Number(parent), ticks: (user ?? 0) + (system ?? 0) };
}

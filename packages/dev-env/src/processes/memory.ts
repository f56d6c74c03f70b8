import { readFile } from "node:fs/promises";

export interface Memory {
  /** What is resident, pages shared with other processes in full (VmRSS, proc(5)). */
  residentBytes: number;
  /** What is resident, each shared page divided by the number of its users (Pss): these can be added up. */
  proportionalBytes: number;
}

/** Undefined where there is no /proc, or no such process. */
export async function memoryOf(pid: number): Promise<Memory | undefined> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
  const [residentBytes, proportionalBytes] = [bytesOf(rollup, "Rss"), bytesOf(rollup, "Pss")];
  if (residentBytes === undefined || proportionalBytes === undefined) return undefined;
  return { residentBytes, proportionalBytes };
}

function bytesOf(rollup: string, name: string): number | undefined {
  const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(rollup)?.[1];
  return kibibytes ? Number(kibibytes) * 1024 : undefined;
}

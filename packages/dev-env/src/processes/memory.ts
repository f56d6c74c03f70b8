import { readFile } from "node:fs/promises";

/** Resident memory of a process in bytes (VmRSS, proc(5)); undefined where there is no /proc, or no such process. */
export async function residentBytes(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kibibytes ? Number(kibibytes) * 1024 : undefined;
}

import { readFileSync } from "node:fs";

/**
 * A process id alone may be given to somebody else's process after ours died; together with its start time and the
 * boot it belongs to, it names one process for ever. So nothing foreign is ever signalled.
 */
export interface ProcessIdentity {
  pid: number;
  startedAt: string;
}

/** The identity of a living process; undefined when there is none, or it is dead and only waits to be reaped. */
export function identify(pid: number): ProcessIdentity | undefined {
  const fields = statFields(pid);
  if (!fields || fields.state === "Z" || fields.state === "X") return undefined;
  return { pid, startedAt: `${bootId()}/${fields.startTime}` };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startedAt === identity.startedAt;
}

/** Returns whether there was such a process to signal. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  try {
    return process.kill(identity.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

function statFields(pid: number): { state: string; startTime: string } | undefined {
  const stat = readProc(`/proc/${pid}/stat`);
  // The second field is the command in brackets, which may itself hold blanks and brackets (proc(5)).
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, startTime] = [fields?.[0], fields?.[19]];
  return state && startTime ? { state, startTime } : undefined;
}

function bootId(): string {
  return readProc("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

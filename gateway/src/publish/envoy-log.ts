import { readFile, truncate } from "node:fs/promises";

/**
 * Envoy's own log, where alone it says why it refused a file. On a cluster Envoy writes it beside its
 * files; its lines are handed on as they are and removed. Elsewhere there is none, and nothing to read.
 */
export interface EnvoyLog {
  /** Hands on what is new. */
  forward(): Promise<void>;
  /** Why files were refused since the last time, in the order in which that happened. */
  refusals(): Promise<readonly string[]>;
}

const LONGEST_REASON = 1000;
const MOST_REASONS = 100;

export function createEnvoyLog(path: string, write: (text: string) => void): EnvoyLog {
  let unread: string[] = [];

  async function forward() {
    const text = await readFile(path, "utf8").catch(() => "");
    if (text !== "") {
      // Envoy appends, so the file can be emptied beneath it.
      await truncate(path);
      write(text);
      unread = [...unread, ...text.split("\n").flatMap(reasonIn)].slice(-MOST_REASONS);
    }
  }

  return {
    forward,
    async refusals() {
      await forward();
      const reasons = unread;
      unread = [];
      return reasons;
    },
  };
}

/** `Filesystem config update rejected: REASON`, in a line of JSON; the reason may quote the resource. */
function reasonIn(line: string): string[] {
  const refusal = /config update (?:rejected|failure): (.*)/s.exec(messageIn(line));
  return refusal?.[1] === undefined ? [] : [shortened(refusal[1])];
}

function messageIn(line: string): string {
  try {
    const { message } = JSON.parse(line) as { message?: unknown };
    return typeof message === "string" ? message : "";
  } catch {
    return line;
  }
}

/** Envoy quotes the resource first and says at the end what is wrong with it. */
function shortened(reason: string): string {
  return reason.length > LONGEST_REASON ? `… ${reason.slice(-LONGEST_REASON)}` : reason;
}

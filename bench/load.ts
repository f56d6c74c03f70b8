/**
 * Load: requests over kept-alive connections for some seconds. wrk where it is installed, since it
 * takes little of the machine that is measured; else autocannon from the lock file. One run uses one.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import autocannon from "autocannon";

export interface Load {
  url: string;
  token?: string;
  connections: number;
  seconds: number;
}

export interface Measured {
  requestsPerSecond: number;
  /** Answers that were not 2xx, and connections that failed: any makes a figure worthless. */
  failures: number;
}

const wrk = (process.env.PATH ?? "")
  .split(delimiter)
  .map((folder) => join(folder, "wrk"))
  .find(isExecutable);

export const generator = wrk ? "wrk" : "autocannon";

export const drive = (load: Load): Promise<Measured> =>
  wrk ? driveWithWrk(wrk, load) : driveWithAutocannon(load);

async function driveWithWrk(program: string, load: Load): Promise<Measured> {
  const child = spawn(program, [
    ...["-t", "1", "-c", String(load.connections), "-d", `${load.seconds}s`],
    ...(load.token ? ["-H", `Authorization: Bearer ${load.token}`] : []),
    load.url,
  ]);
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  await once(child, "close");
  const figure = (pattern: RegExp) => Number(pattern.exec(output)?.[1] ?? 0);
  const socketErrors = /connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output) ?? [];
  return {
    requestsPerSecond: figure(/Requests\/sec:\s+([\d.]+)/),
    failures:
      figure(/Non-2xx or 3xx responses: (\d+)/) +
      socketErrors.slice(1).reduce((sum, count) => sum + Number(count), 0),
  };
}

async function driveWithAutocannon(load: Load): Promise<Measured> {
  const result = await autocannon({
    url: load.url,
    connections: load.connections,
    duration: load.seconds,
    headers: load.token ? { authorization: `Bearer ${load.token}` } : {},
  });
  return {
    requestsPerSecond: result.requests.average,
    failures: result.non2xx + result.errors,
  };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * One request, over and over, on kept-alive connections. wrk where it is installed, since it takes
 * little of the machine that is measured; else autocannon from the lock file. One run uses one.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import autocannon from "autocannon";
import type { Contender, Effort } from "./in-turn.ts";
import type { Measured } from "./measured.ts";

export interface Request {
  url: string;
  method?: "GET" | "POST";
  headers?: Record<string, string>;
  body?: string;
}

const wrk = (process.env.PATH ?? "")
  .split(delimiter)
  .map((folder) => join(folder, "wrk"))
  .find(isExecutable);

export const generator = wrk ? "wrk" : "autocannon";

/** @param request asked for again before every round: tokens end */
export const repeatedly = (
  name: string,
  request: () => Request,
  options: Pick<Contender, "warmUpSeconds" | "pid"> = {},
): Contender => ({
  name,
  ...options,
  drive: (effort) =>
    wrk ? driveWithWrk(wrk, request(), effort) : driveWithAutocannon(request(), effort),
});

async function driveWithWrk(program: string, request: Request, effort: Effort): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), "wrk-"));
  const script = join(folder, "request.lua");
  try {
    await writeFile(script, asLua(request));
    const connections = ["-t", "1", "-c", String(effort.connections)];
    const time = ["-d", `${effort.seconds}s`, "--timeout", "10s", "--latency"];
    const args = [...connections, ...time, "-s", script, request.url];
    return readWrk(await outputOf(program, args));
  } finally {
    await rm(folder, { recursive: true });
  }
}

function asLua({ method = "GET", headers = {}, body = "" }: Request): string {
  const fields = Object.entries(headers).map(
    ([name, value]) => `wrk.headers["${name}"]=[[${value}]]`,
  );
  return [`wrk.method="${method}"`, `wrk.body=[[${body}]]`, ...fields].join("\n");
}

async function outputOf(program: string, args: string[]): Promise<string> {
  const child = spawn(program, args);
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  await once(child, "close");
  return output;
}

const millisecondsIn: Record<string, number> = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

function readWrk(output: string): Measured {
  const figure = (pattern: RegExp) => Number(pattern.exec(output)?.[1] ?? 0);
  const latency = (percentile: number) => {
    const [, value, unit = ""] = new RegExp(`${percentile}%\\s+([\\d.]+)(\\w+)`).exec(output) ?? [];
    return Number(value) * (millisecondsIn[unit] ?? Number.NaN);
  };
  const socketErrors = /connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output) ?? [];
  return {
    perSecond: figure(/Requests\/sec:\s+([\d.]+)/),
    p50Ms: latency(50),
    p99Ms: latency(99),
    failures:
      figure(/Non-2xx or 3xx responses: (\d+)/) +
      socketErrors.slice(1).reduce((sum, count) => sum + Number(count), 0),
  };
}

async function driveWithAutocannon(request: Request, effort: Effort): Promise<Measured> {
  const { connections, seconds } = effort;
  const result = await autocannon({ ...request, connections, duration: seconds });
  return {
    perSecond: result.requests.average,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
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
